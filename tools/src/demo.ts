import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createFarSides } from './demo/far-sides.ts'
import { scenarios } from './demo/scenarios.ts'
import { consoleUser, startWorld } from './demo/world.ts'

const { values } = parseArgs({ options: { stay: { type: 'boolean', default: false } } })
const say = (text: string) => process.stdout.write(`${text}\n`)

say('Starting a private Redis, the simulators and every service …')
await using world = await startWorld()
const far = createFarSides(world)

const results = []
for (const { flow, what, expected, run } of scenarios) {
  const seen = await run(far, world).catch(
    (error: unknown) => `${error instanceof Error ? error.message : String(error)}`,
  )
  results.push({ good: seen === expected, flow, what, expected, seen })
}

const widths = {
  flow: Math.max(...results.map(({ flow }) => flow.length)),
  what: Math.max(...results.map(({ what }) => what.length)),
}
say('')
for (const { good, flow, what, expected, seen } of results) {
  say(
    `${good ? 'ok  ' : 'FAIL'}  ${flow.padEnd(widths.flow)}  ${what.padEnd(widths.what)}  ${seen}${good ? '' : `   (expected: ${expected})`}`,
  )
}
const failed = results.filter(({ good }) => !good).length
say(
  `\n${results.length - failed} passed, ${failed} failed, judged by what the simulators received and the callers were told. Log: ${world.logFile}`,
)
process.exitCode = failed === 0 ? 0 : 1

if (values.stay) {
  const { ingress, apiDocs, console, bills, dacs, derms, mailbox, sftpFiles, bucketFiles } = world.urls
  const variables = Object.entries(world.environment).map(([name, value]) => `${name}='${value}'`)
  say(`
Ingress    ${ingress}
API        ${apiDocs}
Console    ${console}   (user ${consoleUser.name}, password ${consoleUser.password})
Mails      ${mailbox}
Bills      ${bills}/dss/bill/download/1001
DACS       ${dacs}/control/state
DERMS      ${derms}/control/state
Files      ${sftpFiles}/control/files   ${bucketFiles}/control/files
Operate    export ${variables.join(' ')}
           npx -y pnpm@12 tieline flows status
Ctrl-C ends it.`)
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
}
