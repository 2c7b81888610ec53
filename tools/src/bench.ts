import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { startEmbeddedRedis } from '@tieline/runtime/embedded-redis'
import { createLogger } from '@tieline/runtime/logger'
import { freePort } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, writeInstallation } from '@tieline/testkit/installation'
import { measureLoad } from './bench/load.ts'
import { root } from './generate.ts'

const rounds = 5
const requestsPerRound = 6_000
const connections = 64

const say = (text: string) => process.stdout.write(`${text}\n`)

/** A message of about 1 KiB whose ids nobody else has. */
function acknowledgment(n: number, round: string): string {
  const example = examples['enrollment-sync-ack'] as { MsgAck: { responses: { response: object[] } } }
  const [first] = example.MsgAck.responses.response
  const dacsMessageId = `${round}${String(n).padStart(8, '0')}`
  const response = { ...first, dacsMessageId, value: 'x'.repeat(700) }
  return JSON.stringify({ MsgAck: { ...example.MsgAck, responses: { response: [response] } } })
}

await using parts = new AsyncDisposableStack()
const directory = await mkdtemp(join(tmpdir(), 'tieline-bench-'))
parts.defer(() => rm(directory, { recursive: true, force: true }))
const logger = createLogger({ service: 'bench', level: 'warn' })
const redis = parts.use(await startEmbeddedRedis({ dataDir: join(directory, 'redis'), logger }))

async function startProcess(file: string, env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [join(root, file)], {
    env: { ...process.env, REDIS_URL: redis.url, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  parts.defer(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  const port = env.PORT ?? env.INGRESS_PORT
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0)
}

async function startIngress(name: string, env: Record<string, string>): Promise<string> {
  const port = String(await freePort())
  const configFile = join(directory, `${name}.yaml`)
  const nowhere = { dacsUrl: 'http://127.0.0.1:9', dermsUrl: 'http://127.0.0.1:9', smtpUrl: 'smtp://127.0.0.1:9' }
  await writeFile(configFile, await writeInstallation(name, directory, nowhere))
  await startProcess('services/ingress/src/main.ts', {
    TIELINE_CONFIG: configFile,
    INGRESS_PORT: port,
    LOG_LEVEL: 'warn',
    DATA_DIR: directory,
    ...env,
  })
  return `http://127.0.0.1:${port}/derms/sendEnrollAck`
}

const plainPort = String(await freePort())
await startProcess('tools/src/bench/plain-accept.ts', { PORT: plainPort })
const contestants = {
  plain: `http://127.0.0.1:${plainPort}/derms/sendEnrollAck`,
  tieline: await startIngress('bench', {}),
  'tieline, encrypted': await startIngress('bench-key', {
    TIELINE_PAYLOAD_KEYS: `k:${Buffer.alloc(32, 1).toString('base64')}`,
  }),
}

const { username, password } = credentials.derms
const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
const rates: Record<string, number[]> = {}
for (let round = 0; round <= rounds; round++) {
  for (const [name, url] of Object.entries(contestants)) {
    const body = (n: number) => acknowledgment(n, `${round}`)
    const rate = await measureLoad({
      url,
      authorization,
      connections,
      requests: requestsPerRound,
      body,
      expectedStatus: 202,
    })
    // The first round warms up.
    if (round > 0) rates[name] = [...(rates[name] ?? []), rate]
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const ratio = (name: string) => median((rates[name] ?? []).map((rate, i) => rate / (rates.plain?.[i] ?? Number.NaN)))
const measurement = {
  what: 'accept: F3, 1 KiB, distinct ids, 64 connections, fsync always, one ingress process, against Hono + zod + one LPUSH',
  at: new Date().toISOString(),
  machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`,
  rounds,
  requestsPerRound,
  results: Object.keys(contestants).map((name) => ({
    name,
    medianPerSecond: Math.round(median(rates[name] ?? [])),
    ratioToPlain: Number(ratio(name).toFixed(2)),
  })),
}
say(`${measurement.what}\n`)
for (const { name, medianPerSecond, ratioToPlain } of measurement.results) {
  say(`${name.padEnd(20)} ${String(medianPerSecond).padStart(7)} /s   ${ratioToPlain.toFixed(2)} of plain`)
}
await mkdir(join(root, 'bench/results'), { recursive: true })
await writeFile(join(root, 'bench/results/accept.json'), `${JSON.stringify(measurement, null, 2)}\n`)
