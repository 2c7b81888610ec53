import { spawn } from 'node:child_process'
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '@tieline/runtime/programs'
import { isRedisForm, programOf, type RedisForm, redisForms } from '@tieline/testkit/redis-forms/redis-form'
import { type FormOutcome, hasFailed, noTests, type TestCounts, tellOutcome } from './form-outcome.ts'
import { root } from './generate.ts'

// Those that depend most on what Redis does: the journal with its workers, the lookups, the producer, and all together.
const suites = [
  'packages/journal',
  'packages/lookups',
  'services/ingress',
  'services/notifier',
  'tests/flows',
  'tests/faults/fail-over.test.ts',
]

// Several servers share the machine with the tests: what counts is whether a form keeps the promises, not how fast it is.
const timeLimit = '--testTimeout=180000'

const { positionals } = parseArgs({ allowPositionals: true })
const unknown = positionals.filter((name) => !isRedisForm(name))
if (unknown.length > 0) throw new RangeError(`${unknown.join(', ')}: the forms are ${redisForms.join(', ')}`)
const chosen = positionals.length > 0 ? positionals.filter(isRedisForm) : redisForms

const lines: string[] = []
for (const form of chosen) {
  const startedAtMs = performance.now()
  const outcome = await runSuites(form)
  lines.push(tellOutcome(form, outcome, performance.now() - startedAtMs))
  if (hasFailed(outcome)) process.exitCode = 1
}
process.stdout.write(`\n${lines.join('\n')}\n`)

async function runSuites(form: RedisForm): Promise<FormOutcome> {
  let server: string
  try {
    const { binary, env } = await programOf(form)
    server = (await run(binary, ['--version'], { env })).replace(/ v=(\S+).*/s, ' $1')
  } catch (error) {
    return { ran: false, reason: error instanceof Error ? error.message : String(error) }
  }
  await using directory = await mkdtempDisposable(join(tmpdir(), 'tieline-redis-forms-'))
  const report = join(directory.path, 'report.json')
  const args = ['run', ...suites, timeLimit, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const child = spawn('vitest', args, {
    cwd: root,
    env: { ...process.env, TIELINE_TEST_REDIS: form },
    stdio: 'inherit',
  })
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { ran: true, server, ok: code === 0, tests: await countsIn(report) }
}

/** A run that broke off leaves no report. */
async function countsIn(report: string): Promise<TestCounts> {
  try {
    return JSON.parse(await readFile(report, 'utf8')) as TestCounts
  } catch {
    return noTests
  }
}
