import { ConfigurationError } from '../src/configuration-error.ts'
import { type RunningService, runService } from '../src/lifecycle.ts'

/** A service for the tests of `runService`: its first argument says how it behaves. */
const mode = process.argv[2]

await runService(start, {
  ...(mode === 'stuck' && { shutdownMs: 50 }),
  ...(mode === 'never-starts' && { startingMs: 50 }),
})

async function start(): Promise<RunningService> {
  console.log('starting')
  // Something that keeps the process alive, as sockets do.
  const alive = setInterval(() => {}, 1_000)
  if (mode === 'bad-configuration') {
    throw new ConfigurationError('The installation file has faults', [
      { path: 'mail.url', rule: 'must be an smtp or smtps address' },
    ])
  }
  if (mode === 'bad-start') throw new Error('on purpose')
  if (mode === 'never-starts') await new Promise(() => {})
  if (mode === 'slow-start') await new Promise((resolve) => process.once('SIGTERM', resolve))
  else console.log('started')
  if (mode === 'throws-later') {
    setImmediate(() => {
      throw new Error('on purpose')
    })
  }
  if (mode === 'rejects-later') setImmediate(() => void Promise.reject(new Error('on purpose')))
  return {
    ...(mode === 'fails-later' && { failed: Promise.resolve(new ConfigurationError('Port 1 is in use.', [])) }),
    async [Symbol.asyncDispose]() {
      if (mode === 'bad-stop') throw new Error('on purpose')
      if (mode?.startsWith('stuck')) {
        console.log('stopping')
        return new Promise(() => {})
      }
      if (mode !== 'leaves-timers') clearInterval(alive)
      console.log('stopped')
    },
  }
}
