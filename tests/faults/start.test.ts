import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { examples } from '@tieline/contracts/examples'
import { run } from '@tieline/runtime/programs'
import { untilRedisAnswers } from '@tieline/runtime/redis-answers'
import { freePort } from '@tieline/runtime/redis-process'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, type FarSides, writeInstallation } from '@tieline/testkit/installation'
import { root } from '@tieline/tools/generate'
import { startServiceProcesses } from '@tieline/tools/service-processes'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startProcesses } from './processes.ts'

interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Where they are that are not away. */
  readonly farSides?: Partial<FarSides>
  /** Bytes of a disk of its own for the data, where one can be had. */
  readonly diskBytes?: number
}

/** All services of an installation, started by the command for it. */
async function startCommand({ env: more = {}, farSides, diskBytes }: CommandOptions = {}) {
  await using parts = new AsyncDisposableStack()
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), 'tieline-start-')))
  const dataDir = join(directory.path, 'data')
  if (diskBytes !== undefined) {
    await mkdir(dataDir)
    await mountTmpfs(dataDir, `size=${diskBytes}`)
    parts.defer(() => unmount(dataDir))
  }
  const nowhere = 'http://127.0.0.1:9'
  const configFile = join(directory.path, 'tieline.yaml')
  const places = { dacsUrl: nowhere, dermsUrl: nowhere, smtpUrl: 'smtp://127.0.0.1:9', ...farSides }
  await writeFile(configFile, await writeInstallation('start', directory.path, places))
  const port = await freePort()
  const { REDIS_URL: _, ...env } = process.env
  const own = { TIELINE_CONFIG: configFile, DATA_DIR: dataDir, INGRESS_PORT: String(port), METRICS_PORT: '0' }
  const child = spawn(process.execPath, [join(root, 'tools/src/start.ts')], {
    env: { ...env, ...own, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { log: '', errors: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.log += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.errors += text
  })
  const ended = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return (await ended)[0] as number | null
  }
  parts.defer(async () => void (await end('SIGTERM')))
  const post = (
    body: unknown,
    path = '/derms/sendEnrollAck',
    sender: { username: string; password: string } = credentials.derms,
  ) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: basicAuthorization(sender), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const socket = join(dataDir, 'redis/redis.sock')
  const owned = parts.move()
  return {
    dataDir,
    socket,
    output,
    end,
    ended: ended.then(([code]) => code as number | null),
    post,
    /** HTTP status of an acknowledgment; undefined when nobody listens. */
    accepts: (): Promise<number | undefined> =>
      post(examples['enrollment-sync-ack']).then(
        ({ status }) => status,
        () => undefined,
      ),
    redisPid: async () => Number(await readFile(join(dataDir, 'redis/redis.pid'), 'utf8').catch(() => 0)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const mountTmpfs = async (directory: string, options: string) =>
  void (await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { env: process.env }))

const unmount = async (directory: string) => void (await run('umount', ['--lazy', directory], { env: process.env }))

type Command = Awaited<ReturnType<typeof startCommand>>

const lines = (text: string, part: string) => text.split('\n').filter((line) => line.includes(part))

async function ask<T>({ socket }: Command, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: socket })
  try {
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

/** A disk of its own can be made: by root alone, and not in every container. */
async function canMount(): Promise<boolean> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'tieline-mount-'))
  try {
    await mountTmpfs(directory.path, 'size=64k')
    await unmount(directory.path)
    return true
  } catch (error) {
    console.warn(`The test of a full disk is not run: ${error instanceof Error ? error.message : 'no reason given'}`)
    return false
  }
}

const mayMount = await canMount()

describe('the Redis of `start`', () => {
  let command: Command
  beforeAll(async () => {
    const env = { REDIS_MAXMEMORY: '64mb' }
    command = await startCommand({ env, ...(mayMount && { diskBytes: 4 * 2 ** 20 }) })
    await eventually(async () => (await command.accepts()) === 202, 30_000)
  })
  afterAll(() => command[Symbol.asyncDispose]())

  const send = async (id: string, value = '') => {
    const response = [{ responseCode: 'ERROR', dacsMessageId: id, value }]
    return (await command.post({ MsgAck: { ackType: 'ERROR', responses: { response } } })).status
  }
  const stateOf = (id: string) =>
    ask(command, (redis) => redis.hget(`{start}:journal:m:enrollment-sync-ack.derms.${id}`, 'state'))

  it('is for the user who runs it alone, and knows its limit of memory', async () => {
    expect((await stat(join(command.dataDir, 'redis'))).mode & 0o777).toBe(0o700)
    for (const file of ['redis.sock', 'url', 'redis.pid', 'appendonlydir'])
      expect((await stat(join(command.dataDir, 'redis', file))).mode & 0o077).toBe(0)
    const setting = (name: string) => ask(command, (redis) => redis.config('GET', name))
    expect(await setting('port')).toEqual(['port', '0'])
    expect(await setting('maxmemory')).toEqual(['maxmemory', String(64 * 2 ** 20)])
  })

  it('may be killed 25 times in a row: it comes back, no service ends, and messages are accepted again', async () => {
    let pid = await command.redisPid()
    for (let i = 0; i < 25; i++) {
      const killed = pid
      process.kill(killed, 'SIGKILL')
      await eventually(async () => ![0, killed].includes(await command.redisPid()), 10_000)
      pid = await command.redisPid()
      await untilRedisAnswers(command.socket, { withinMs: 5_000, pid })
      // Some are killed as soon as they answer, some when everybody is connecting, some later.
      await delay((i % 3) * 40)
    }
    await eventually(async () => (await send('AFTER')) === 202)
    // A worker has it: its far side is away.
    await eventually(async () => (await stateOf('AFTER')) === 'retrying')
    expect(lines(command.output.log, 'it was ended by SIGKILL').length).toBeGreaterThan(0)
    expect(lines(command.output.log, 'starting it again')).toEqual([])
  })

  it.skipIf(!mayMount)('may fill its disk: messages are refused until there is room, and none is lost', async () => {
    const accepted: string[] = []
    for (let i = 0; (await send(`D-${i}`, 'x'.repeat(100_000))) === 202; i++) accepted.push(`D-${i}`)
    expect(accepted.length).toBeGreaterThan(10)
    await eventually(() => lines(command.output.log, 'is full').length > 0)

    await mountTmpfs(command.dataDir, `remount,size=${64 * 2 ** 20}`)
    await eventually(async () => (await command.accepts()) === 202, 20_000)
    for (const id of accepted) expect(await stateOf(id), id).not.toBeNull()
    expect(lines(command.output.log, 'starting it again')).toEqual([])
  })

  it('stops with `start`, which then ends with 0', async () => {
    const pid = await command.redisPid()
    expect(await command.end('SIGTERM')).toBe(0)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

it('`start` answers the first messages with results, however early they come; killed, it leaves no service behind', async () => {
  await using dacs = await startDacsSimulator({ auth: { basic: credentials.dacsTarget } })
  await using derms = await startDermsSimulator({ auth: { basic: credentials.dermsTarget } })
  await using command = await startCommand({ farSides: { dacsUrl: dacs.url, dermsUrl: derms.url } })
  /** As soon as anybody listens. */
  const first = async (...message: Parameters<Command['post']>) => {
    for (;;) {
      // Tries again all the time; nothing tells when the port opens.
      const answer = await command.post(...message).catch(() => delay(5))
      if (answer) return { status: answer.status, body: await answer.json() }
    }
  }
  const [enrollment, sync] = await Promise.all([
    first(examples['enrollment-request'], '/derms/enroll-to-dacs'),
    first(examples['enrollment-sync'], '/dacs/enroll', credentials.dacs),
  ])
  expect(enrollment).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'SUCCESS' } } })
  expect(sync).toMatchObject({ status: 200, body: { responseDetails: {} } })

  await command.end('SIGKILL')
  await eventually(async () => (await command.accepts()) === undefined)
})

it('`start` ends with one sentence when a port is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await using command = await startCommand({ env: { INGRESS_PORT: String(port) } })
  expect(await command.ended).toBe(1)
  expect(command.output.errors).toBe(`Port ${port} (INGRESS_PORT) on 127.0.0.1 is in use by another program.\n`)
  await expect(stat(command.socket)).rejects.toThrow('ENOENT')
  taken.close()
})

it('a service whose lookups are refused at the first start is not started again; its parent is told why', async () => {
  const lookups = { EventType: 'DRMS_EventType,DACS_EventType\nX1EC\n' }
  await using processes = await startProcesses({ redisUrl: inject('redisUrl'), lookups })
  const { promise: told, resolve: onCannotStart } = Promise.withResolvers<string>()
  const restarts: string[] = []
  await using _service = startServiceProcesses([{ name: 'enrollment', env: processes.env }], {
    output: new PassThrough().resume(),
    onCannotStart,
    onCrash: (name) => restarts.push(name),
  })
  expect(await told).toMatch(
    /^The first rows of lookups in \S+ are refused: \S*EventType.csv: EventType refused: row 1: [^\n]+$/,
  )
  expect(restarts).toEqual([])
})
