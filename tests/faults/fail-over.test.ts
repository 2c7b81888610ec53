import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { startCluster } from '@tieline/testkit/redis-forms/cluster'
import { askNode } from '@tieline/testkit/redis-forms/redis-nodes'
import { startSentinels } from '@tieline/testkit/redis-forms/sentinels'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enrollmentSyncAck, keyOf } from '../flows/golden-messages.ts'

const onCluster = process.env.TIELINE_TEST_REDIS === 'cluster'
const flow = 'enrollment-sync-ack'

const opened = new AsyncDisposableStack()
let redis: Awaited<ReturnType<typeof startReplicatedRedis>>
let pipeline: Pipeline

beforeAll(async () => {
  const directory = opened.use(await mkdtempDisposable(join(tmpdir(), 'tieline-fail-over-')))
  redis = opened.use(await startReplicatedRedis(directory.path))
  pipeline = opened.use(await startPipeline({ redisUrl: redis.url, services: ['enrollment'] }))
})
afterAll(() => opened.disposeAsync())

async function startReplicatedRedis(directory: string) {
  const program = await findRedisBinary()
  // A master behind sentinels needs a replica to take messages, and each test but the last one takes a server away.
  const options = { replicas: onCluster ? 1 : 3, noticeAfterMs: 1_000 }
  if (!onCluster) return { ...options, ...(await startSentinels(program, directory, options)) }
  const cluster = await startCluster(program, directory, options)
  return { ...options, ...cluster, master: () => cluster.masterOf(pipeline.journal.base) }
}

async function send(id: string): Promise<number> {
  pipeline.dacs.register({ syncRequestId: id })
  return (await pipeline.post(flow, enrollmentSyncAck({ dacsMessageId: id }))).status
}

/** As the present master has it, whichever the services speak to. */
const stateOf = async (id: string) =>
  askNode(await redis.master(), (node) =>
    node.hget(`${pipeline.journal.base}:m:${keyOf(flow, enrollmentSyncAck({ dacsMessageId: id }))}`, 'state'),
  )

const updatesOf = (id: string) =>
  pipeline.dacs.received.filter(({ path, applied }) => applied && path.endsWith(`/${id}`)).length

/** Whether all that the master has confirmed so far is with every replica; not, when it dies over the question. */
async function isReplicated(): Promise<boolean> {
  try {
    return await askNode(await redis.master(), async (node) => {
      await node.incr(`${pipeline.journal.base}:mark`)
      return (await node.wait(redis.replicas, 1_000)) === redis.replicas
    })
  } catch {
    return false
  }
}

interface Load {
  /** The master is dead: who is told "accepted" for a message sent from now on is told so by the next one. */
  dead: boolean
  enough: boolean
  /** Answered 202, and every replica had it, before the master died. */
  readonly replicated: string[]
  /** Answered 202 shortly before it died: Redis may have lost them. */
  readonly doubtful: string[]
  /** Answered 202 by the next master. */
  readonly late: string[]
}

/** Sends one message after the other until there are enough, each again until it is taken, as a sender does. */
async function keepSending(load: Load, name: number): Promise<void> {
  for (let n = 0; !load.enough; n++) {
    const id = `${name}${n}`
    let sentLate = false
    await eventually(async () => {
      sentLate = load.dead
      return (await send(id)) === 202
    }, 90_000)
    const kind = sentLate ? 'late' : (await isReplicated()) ? 'replicated' : 'doubtful'
    load[kind].push(id)
  }
}

describe('a master of Redis', () => {
  it('that dies under load has a successor, which settles all that was replicated and goes on accepting', async () => {
    const load: Load = { dead: false, enough: false, replicated: [], doubtful: [], late: [] }
    const senders = Promise.all([1_000, 2_000, 3_000, 4_000].map((name) => keepSending(load, name)))
    await eventually(() => load.replicated.length >= 50)
    const first = await redis.master()
    await redis.nodes.kill(first, 'SIGKILL')
    load.dead = true
    // A first election that nobody wins is followed by a second, ten seconds later.
    await eventually(() => load.late.length >= 50, 90_000)
    load.enough = true
    await senders

    expect(await redis.master()).not.toBe(first)
    for (const id of [...load.replicated, ...load.late]) {
      await eventually(async () => (await stateOf(id)) === 'succeeded')
      expect(updatesOf(id)).toBeGreaterThan(0)
    }
    // What Redis lost is lost whole: no message is left half done.
    for (const id of load.doubtful) await eventually(async () => [null, 'succeeded'].includes(await stateOf(id)))
  }, 180_000)

  it.skipIf(onCluster)('that hangs until it has a successor loses nothing of what is accepted meanwhile', async () => {
    const hung = await redis.master()
    await redis.nodes.kill(hung, 'SIGSTOP')
    await eventually(async () => (await redis.master()) !== hung)
    await redis.nodes.kill(hung, 'SIGCONT')
    const ids = Array.from({ length: 20 }, (_, n) => `500${n}`)
    for (const id of ids) await eventually(async () => (await send(id)) === 202)
    for (const id of ids) await eventually(async () => (await stateOf(id)) === 'succeeded')
  })

  // The masters of the cluster have one replica each, so theirs must not wait for one.
  it.skipIf(onCluster)('that no replica follows takes no message, and settles its own when one is back', async () => {
    await eventually(async () => (await send('7001')) === 202)
    const master = await redis.master()
    const replicas = redis.nodes.ports().filter((port) => port !== master)
    for (const port of replicas) await redis.nodes.kill(port, 'SIGKILL')
    await eventually(async () => (await send('7002')) === 503)
    expect(await send('7003')).toBe(503)
    for (const port of replicas) await redis.rejoin(port)
    await eventually(async () => (await send('7003')) === 202)
    for (const id of ['7001', '7003']) await eventually(async () => (await stateOf(id)) === 'succeeded')
  })
})
