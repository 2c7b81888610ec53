import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missingOf } from './chaos/amounts.ts'
import { isPlantName, plantNames } from './chaos/plant-names.ts'
import { countsOf, judge, storyOf } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'

const violationsShown = 5

const { values } = parseArgs({
  options: { seed: { type: 'string' }, minutes: { type: 'string' }, plant: { type: 'string' } },
})
const say = (text: string) => process.stdout.write(`${text}\n`)

const seed = Number(values.seed ?? 1 + Math.floor(Math.random() * 999_999))
if (!Number.isInteger(seed) || seed < 1 || seed > 2 ** 32 - 1)
  throw new RangeError('--seed must be a whole number from 1 to 4294967295')
const minutes = Number(values.minutes ?? 1)
if (!(minutes >= 0.1 && minutes <= 60)) throw new RangeError('--minutes must be a number from 0.1 to 60')
const { plant } = values
if (plant !== undefined && !isPlantName(plant))
  throw new RangeError(`--plant must be one of ${Object.keys(plantNames).join(', ')}`)

const logFile = join(tmpdir(), `tieline-chaos-${seed}-${process.pid}.log`)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

say(`seed ${seed}, ${minutes} min${plant === undefined ? '' : `, with the bug ${plant}`}; log ${logFile}`)
const { history, crashes } = await runChaos({ seed, minutes, plant, logFile, signal: stop.signal })
const { faultsEndedAt, settledAt } = history.recovery
say(`${countsOf(history)}, crashes ${crashes}`)
say(settledAt === undefined ? 'never settled' : `settled ${settledAt - faultsEndedAt} ms after the faults ended`)
const verdicts = judge(history)
for (const { property, violations } of verdicts) {
  say(`${violations.length === 0 ? 'holds   ' : 'VIOLATED'} ${property}`)
  for (const violation of violations.slice(0, violationsShown)) say(storyOf(violation, history))
  if (violations.length > violationsShown) say(`  … and ${violations.length - violationsShown} more violations`)
}
if (plant !== undefined) {
  const broken = verdicts.filter(({ violations }) => violations.length > 0).map(({ property }) => property.slice(0, 3))
  say(`The bug ${plant} should break ${plantNames[plant].join(' and ')}; broken: ${broken.join(' and ') || 'nothing'}`)
}
const missing = missingOf(history)
for (const { what, count, least } of missing) say(`too few ${what}: ${count} of at least ${least}`)
if (missing.length > 0) say('This run does not count.')
if (verdicts.some(({ violations }) => violations.length > 0)) process.exitCode = 1
else if (missing.length > 0) process.exitCode = 2
