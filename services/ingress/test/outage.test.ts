import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { freePort, type RedisProcess, startRedisProcess } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { basic, openIngress, settling, stageStatus, succeeded, syncAck } from './harness.ts'

/** A Redis that can be taken away and brought back on the same port with the same data. */
async function ownRedis(extraArgs: readonly string[] = []) {
  await using opened = new AsyncDisposableStack()
  const { binary, env } = await findRedisBinary()
  const directory = opened.use(await mkdtempDisposable(join(tmpdir(), 'tieline-outage-')))
  const port = await freePort()
  let server: RedisProcess | undefined
  const stop = async () => {
    await server?.kill('SIGCONT')
    await server?.kill('SIGKILL')
  }
  opened.defer(stop)
  const running = opened.move()
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    hang: () => server?.kill('SIGSTOP'),
    goOn: () => server?.kill('SIGCONT'),
    async start(args = extraArgs) {
      server = await startRedisProcess({ binary, env, dataDir: directory.path, port, extraArgs: args })
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A way to Redis that breaks when somebody subscribes. */
async function startLink(redisPort: number) {
  const sockets = new Set<Socket>()
  let toDrop = 0
  let dropped = 0
  const server = createServer((client) => {
    const upstream = connect(redisPort, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined).on('close', () => other.destroy())
    }
    upstream.pipe(client)
    client.on('data', (bytes) => {
      if (toDrop === 0 || !/\bsubscribe\b/i.test(bytes.toString('latin1'))) return upstream.write(bytes)
      toDrop -= 1
      dropped += 1
      return client.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    port: (server.address() as AddressInfo).port,
    /** Breaks every connection, and again so many that subscribe. */
    dropSubscriptions(times: number) {
      toDrop = times
      breakAll()
    },
    dropped: () => dropped,
    async [Symbol.asyncDispose]() {
      breakAll()
      server.close()
    },
  }
}

type Ingress = Awaited<ReturnType<typeof openIngress>>

async function send(ingress: Ingress, id: string) {
  const { status, headers, body } = await ingress.post('enrollment-sync-ack', syncAck(id))
  return { status, retryAfter: headers.get('retry-after'), code: body?.code }
}

const refused = { status: 503, retryAfter: '5', code: 'store-unavailable' }

describe('without Redis', () => {
  test('the ingress starts, refuses in good order, and takes messages when it comes', async () => {
    await using redis = await ownRedis()
    await using ingress = await openIngress({ redisUrl: redis.url, tuning: { startWithinMs: 100 } })
    expect(await send(ingress, 'A')).toMatchObject(refused)
    expect((await ingress.post('enrollment-sync-ack', {}, { headers: { authorization: 'Basic x' } })).status).toBe(401)
    const health = async (path: string) => (await fetch(`${ingress.url}/health/${path}`)).status
    expect([await health('live'), await health('ready')]).toEqual([200, 503])

    await redis.start()
    await eventually(async () => (await send(ingress, 'A')).status === 202, 5_000)
    expect(await health('ready')).toBe(200)
  })

  test('the ingress can be stopped', async () => {
    await using redis = await ownRedis()
    const ingress = await openIngress({ redisUrl: redis.url, tuning: { startWithinMs: 10 } })
    await redis.stop()
    await ingress[Symbol.asyncDispose]()
  })
})

describe('when Redis goes away', () => {
  test('messages are refused while it is away, and taken again on its return; what was accepted is there', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using ingress = await openIngress({ redisUrl: redis.url })
    expect(await send(ingress, 'A')).toMatchObject({ status: 202 })
    await redis.stop()
    for (let i = 0; i < 3; i++) {
      const answer = await send(ingress, 'B')
      expect(answer).toMatchObject(refused)
    }
    expect((await fetch(`${ingress.url}/health/ready`)).status).toBe(503)

    await redis.start()
    await eventually(async () => (await send(ingress, 'B')).status === 202, 5_000)
    expect(await ingress.field('enrollment-sync-ack.derms.A', 'state')).toBe('accepted')
    expect((await fetch(`${ingress.url}/health/ready`)).status).toBe(200)
  })

  test('a Redis that hangs counts as away, and the message that met it is taken once', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using ingress = await openIngress({ redisUrl: redis.url })
    await send(ingress, 'A')
    await redis.hang()
    const answer = await send(ingress, 'B')
    expect(answer).toMatchObject(refused)
    // A refusal waits for nobody who keeps it; it is told with the next one that can be kept.
    const strange = () =>
      ingress.post('enrollment-sync', {}, { headers: { authorization: basic('derms', 'pw-derms') } })
    const askedAt = performance.now()
    expect(await strange()).toMatchObject({ status: 403 })
    expect(performance.now() - askedAt).toBeLessThan(900)
    await redis.goOn()
    await eventually(async () => (await send(ingress, 'B')).status === 202, 10_000)
    expect(await ingress.field('enrollment-sync-ack.derms.B', 'generation')).toBe('1')
    await strange()
    const window = `${ingress.journal.base}:w:refusal/enrollment-sync/derms/not-allowed`
    await eventually(async () => Number(await ingress.redis.hget(window, 'count')) >= 1)
  })

  test('it may drop connections between SUBSCRIBE and its answer: nothing goes uncaught, and news is heard again', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using link = await startLink(Number(new URL(redis.url).port))
    await using ingress = await openIngress({ redisUrl: `redis://127.0.0.1:${link.port}` })
    const uncaught: unknown[] = []
    const note = (reason: unknown) => void uncaught.push(reason)
    process.on('unhandledRejection', note)
    try {
      link.dropSubscriptions(6)
      await eventually(() => link.dropped() === 6, 10_000)
      await eventually(async () => (await send(ingress, 'A')).status === 202, 5_000)
      const { base } = ingress.journal
      for (const channel of [`${base}:news`, base.replace('journal', 'lookups:changed')])
        await eventually(async () => (await ingress.redis.pubsub('NUMSUB', channel))[1] === 1, 5_000)
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(uncaught).toEqual([])
  })

  test('a caller that waits gets its reply all the same when Redis comes back', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using ingress = await openIngress({ redisUrl: redis.url })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    await ingress.work(settling('stage-status', () => gate.then(() => succeeded({ done: 1 }))))
    const posted = ingress.post('stage-status', stageStatus({ messageId: 'M-1' }))
    await eventually(async () => (await ingress.field('stage-status.SITE1.M-1', 'state')) === 'processing')
    await redis.stop()
    await redis.start()
    open()
    expect(await posted).toMatchObject({ status: 200, body: { done: 1 } })
  })
})

describe('a Redis', () => {
  test('that is 80 % full is given no more messages until it has room again', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using ingress = await openIngress({ redisUrl: redis.url, tuning: { memoryPollMs: 50 } })
    expect(await send(ingress, 'A')).toMatchObject({ status: 202 })
    // A short command for a long value: the buffers of a long one would be counted, and gone a moment later.
    await ingress.redis.setrange('filler', 8 * 2 ** 20, 'x')
    const used = Number(/used_memory:(\d+)/.exec(await ingress.redis.info('memory'))?.[1])
    await ingress.redis.config('SET', 'maxmemory', String(Math.round(used / 0.85)))
    await eventually(async () => (await send(ingress, 'B')).status === 503)
    expect(await send(ingress, 'B')).toMatchObject(refused)
    expect((await fetch(`${ingress.url}/health/ready`)).status).toBe(503)
    expect(ingress.logged.join()).toContain('80 % full')

    await ingress.redis.del('filler')
    await eventually(async () => (await send(ingress, 'B')).status === 202)
    expect(ingress.logged.join()).toContain('has room again')
  })

  test('that is full refuses messages, and so does the ingress', async () => {
    await using redis = await ownRedis()
    await redis.start()
    await using ingress = await openIngress({ redisUrl: redis.url, tuning: { memoryPollMs: 3_600_000 } })
    await ingress.redis.config('SET', 'maxmemory', '100000')
    expect(await send(ingress, 'A')).toMatchObject(refused)
    await ingress.redis.config('SET', 'maxmemory', '0')
    expect(await send(ingress, 'A')).toMatchObject({ status: 202 })
  })

  test('that would forget what it confirmed is refused at the start', async () => {
    await using redis = await ownRedis()
    await redis.start(['--appendonly', 'no'])
    await expect(openIngress({ redisUrl: redis.url })).rejects.toThrow('append-only file is off')
  })

  test('that would forget what it confirmed is not used when it comes later, until that is mended', async () => {
    await using redis = await ownRedis()
    await using ingress = await openIngress({ redisUrl: redis.url, tuning: { startWithinMs: 10 } })
    await redis.start(['--maxmemory-policy', 'allkeys-lru'])
    await eventually(() => ingress.logged.join().includes('must be noeviction'))
    expect(await send(ingress, 'A')).toMatchObject(refused)
    await ingress.redis.config('SET', 'maxmemory-policy', 'noeviction')
    await eventually(async () => (await send(ingress, 'A')).status === 202)
  })
})

describe('when the ingress stops', () => {
  test('callers that wait are answered provisionally and new ones refused; their messages go on', async () => {
    await using redis = await ownRedis()
    await redis.start()
    const ingress = await openIngress({ redisUrl: redis.url })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    await ingress.work(settling('stage-status', () => gate.then(() => succeeded({}))))
    const posted = ingress.post('stage-status', stageStatus({ messageId: 'M-1' }))
    await eventually(async () => (await ingress.field('stage-status.SITE1.M-1', 'state')) === 'processing')

    const stopped = ingress.service[Symbol.asyncDispose]()
    const late = ingress.post('enrollment-sync-ack', syncAck('A')).then(
      ({ status }) => status,
      () => 'not connected',
    )
    expect(await posted).toMatchObject({
      status: 200,
      body: { MsgAck: { ackType: 'FAILURE', responses: { response: [{ id: 'M-1', value: 'IN_PROGRESS' }] } } },
    })
    expect([503, 'not connected']).toContain(await late)
    await stopped
    expect(await ingress.field('stage-status.SITE1.M-1', 'collect')).toBe('provisional')
    open()
    await eventually(async () => (await ingress.field('stage-status.SITE1.M-1', 'state')) === 'succeeded')
    await ingress[Symbol.asyncDispose]()
  })
})
