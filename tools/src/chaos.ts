import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { countsOf, judge, storyOf } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seconds: { type: 'string' }, rate: { type: 'string' } },
})
const whole = (name: 'seed' | 'seconds' | 'rate', usual: number, max: number): number => {
  const value = Number(values[name] ?? usual)
  if (Number.isInteger(value) && value > 0 && value <= max) return value
  throw new RangeError(`--${name} must be a whole number from 1 to ${max}`)
}
const say = (text: string) => process.stdout.write(`${text}\n`)

const seed = whole('seed', 1 + Math.floor(Math.random() * 999_999), 2 ** 32 - 1)
const seconds = whole('seconds', 30, 600)
const messagesPerSecond = whole('rate', 12, 50)
const logFile = join(tmpdir(), `tieline-chaos-${seed}-${process.pid}.log`)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

say(`seed ${seed}, ${seconds} s at about ${messagesPerSecond} messages/s; log ${logFile}`)
const { history, crashes } = await runChaos({ seed, seconds, messagesPerSecond, logFile, signal: stop.signal })
const { faultsEndedAt, settledAt } = history.recovery
say(`${countsOf(history)}, crashes ${crashes}`)
say(settledAt === undefined ? 'never settled' : `settled ${settledAt - faultsEndedAt} ms after the faults ended`)
const verdicts = judge(history)
for (const { property, violations } of verdicts) {
  say(`${violations.length === 0 ? 'holds   ' : 'VIOLATED'} ${property}`)
  for (const violation of violations.slice(0, 5)) say(storyOf(violation, history))
  if (violations.length > 5) say(`  … and ${violations.length - 5} more violations`)
}
process.exitCode = verdicts.some(({ violations }) => violations.length > 0) ? 1 : 0
