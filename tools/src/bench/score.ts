import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { showMessage } from '@tieline/journal/operations'
import { startRun } from '@tieline/journal/transfers/runs'
import { run } from '@tieline/runtime/programs'
import { eventually } from '@tieline/testkit/eventually'
import { openForLooking } from '../chaos/look.ts'
import { type Measurement, median, peakMib } from './measurement.ts'
import { startBenchWorld, type Trial } from './world.ts'

const rounds = 5
const mib = 2 ** 20
const sizesMib = [64, 1_024] as const
const name = 'DeviceScore.csv'
const transfer = { name: 'nightly', source: 'FILES' }

/** How fast a score file goes from SFTP to DERMS, against `sftp` and `curl`, and how much memory it takes. */
export async function measureScore(trial?: Trial): Promise<Measurement> {
  const results = []
  for (const sizeMib of sizesMib) results.push(await measureFile(sizeMib, trial))
  const [smallest, largest] = [results.at(0), results.at(-1)]
  return {
    name: 'score',
    what: 'F8: one score file from SFTP to DERMS, 2 s of it between the two looks that tell a whole file, against sftp to a file and curl from it; peak resident memory of the worker',
    rounds,
    results,
    figures: [
      {
        what: 'a score file of 64 MiB, F8, with 2 s to see that it is whole',
        against: 'sftp and curl',
        value: smallest?.ratio ?? Number.NaN,
        unit: '',
      },
      {
        what: 'a score file of 1 GiB, F8',
        against: 'sftp and curl',
        value: largest?.ratio ?? Number.NaN,
        unit: '',
        atLeast: 0.94,
      },
      {
        what: 'memory of the worker, 1 GiB, F8',
        against: '',
        value: largest?.['worker peak MiB'] ?? Number.NaN,
        unit: 'MiB',
        atMost: 256,
      },
    ],
  }
}

async function measureFile(sizeMib: number, trial?: Trial) {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bench-scores-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const files = join(directory, 'files')
  await mkdir(files)
  await pipeline(Readable.from(megabytes(sizeMib)), createWriteStream(join(files, name)))
  await tool('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key'))
  const authorizedKey = await readFile(join(directory, 'key.pub'), 'utf8')

  const world = parts.use(await startBenchWorld(trial))
  const farSides = await world.startPlain('far-sides.ts')
  const server = await world.startPlain('sftp-server.ts', { DIRECTORY: files, AUTHORIZED_KEY: authorizedKey })
  const sftp = (await (await fetch(server)).json()) as { host: string; port: number; hostKey: string }
  const connection = { kind: 'sftp', ...sftp, username: 'tieline', privateKeyFile: join(directory, 'key') }
  const { worker, env } = await world.startTransfer('bench', farSides, connection)
  const { journal } = parts.use(await openForLooking(env))

  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(
      await seconds(async () => {
        const started = await startRun(journal, { transfer, who: 'bench' })
        await eventually(async () => {
          const seen = await showMessage(journal, started.key)
          return seen?.generation === round + 1 && seen.state === 'succeeded'
        }, 300_000)
      }),
    )
    await rename(join(files, `Sent-${name}`), join(files, name))
    theirs.push(await seconds(() => withTools(sftp, directory, `${farSides}/device-score/${name}`)))
  }
  return {
    'file MiB': sizeMib,
    'Tieline s': median(ours),
    'sftp + curl s': median(theirs),
    ratio: Number(median(theirs.map((their, i) => their / (ours[i] ?? Number.NaN))).toFixed(2)),
    'worker peak MiB': await peakMib(worker),
  }
}

async function withTools(sftp: { host: string; port: number }, directory: string, url: string): Promise<void> {
  const copy = join(directory, 'copy')
  const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
  const from = `tieline@${sftp.host}:/${name}`
  await tool('sftp', '-q', ...trust, '-i', join(directory, 'key'), '-P', String(sftp.port), from, copy)
  await tool('curl', '--silent', '--fail', '--output', '/dev/null', '-X', 'POST', '-H', 'Expect:', '-T', copy, url)
  await rm(copy)
}

const tool = (program: string, ...args: string[]) => run(program, args, { env: process.env, timeoutMs: 300_000 })

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return Number(((performance.now() - startedAt) / 1_000).toFixed(1))
}

function* megabytes(count: number): Generator<Buffer> {
  const one = randomBytes(mib)
  for (let i = 0; i < count; i++) yield one
}
