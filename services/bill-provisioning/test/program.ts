import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { heapFlags } from '../../../tools/src/service-processes.ts'
import { installationText } from './harness.ts'
import type { Sections } from './places.ts'

/** The service in a process of its own, as `start` runs it. @param main another file than its own to run */
export async function startProgram(sections: Sections, bills: object = {}, main = '../src/main.ts') {
  await using started = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bills-'))
  started.defer(() => rm(directory, { recursive: true }))
  const file = join(directory, 'tieline.yaml')
  await writeFile(file, installationText(sections, bills))
  const env = { ...process.env, TIELINE_CONFIG: file, BILLS_PORT: '0', METRICS_PORT: '0' }
  const program = spawn(process.execPath, [...heapFlags, fileURLToPath(new URL(main, import.meta.url))], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(program, 'exit')
  started.defer(async () => {
    program.kill('SIGKILL')
    await ended
  })
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>()
  const logged: string[] = []
  createInterface({ input: program.stdout }).on('line', (line) => {
    logged.push(line)
    const { msg, url } = JSON.parse(line)
    if (msg.startsWith('Serving bills')) resolve(url)
  })
  program.once('exit', () => reject(new Error(`The service ended:\n${logged.join('\n')}`)))
  const url = await listening
  const running = started.move()
  return {
    url,
    logged,
    /** Exit code and signal. */
    ended,
    /** As a service manager does it. */
    stop: () => void program.kill('SIGTERM'),
    /** Most memory that was ever resident, in MiB. */
    async peakMib(): Promise<number> {
      const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${program.pid}/status`, 'utf8')) ?? []
      return Number(kibibytes) / 1_024
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
