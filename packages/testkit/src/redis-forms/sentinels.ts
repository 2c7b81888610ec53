import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { untilRedisAnswers } from '@tieline/runtime/redis-answers'
import { dyingWithParent, follow, freePort, stopProcess } from '@tieline/runtime/redis-process'
import type { Redis } from 'ioredis'
import {
  askNode,
  createRedisNodes,
  type RedisNodes,
  type ReplicationOptions,
  type ServerProgram,
  untilSo,
} from './redis-nodes.ts'

export interface Sentinels extends AsyncDisposable {
  readonly url: string
  readonly nodes: RedisNodes
  /** The port of the master, as two of the three sentinels see it. */
  master(): Promise<number>
  /** Starts a server that was killed again, as a replica of the present master. */
  rejoin(port: number): Promise<void>
}

const masterName = 'tieline'
const sentinelCount = 3

/** Each server is set like a master: any may become one. A master without a replica takes no writes. */
const nodeArgs = [
  ...['--min-replicas-to-write', '1'],
  ...['--min-replicas-max-lag', '10'],
  ...['--repl-diskless-sync-delay', '0'],
  ...['--repl-ping-replica-period', '1'],
]

/** A master, replicas of it, and three sentinels. */
export async function startSentinels(
  program: ServerProgram,
  directory: string,
  { replicas, noticeAfterMs }: ReplicationOptions,
): Promise<Sentinels> {
  await using parts = new AsyncDisposableStack()
  const nodes = parts.use(createRedisNodes(program, directory))
  const first = await nodes.start(nodeArgs)
  const replicaArgs = (master: number) => [...nodeArgs, '--replicaof', `127.0.0.1 ${master}`]
  for (let i = 0; i < replicas; i++) await nodes.start(replicaArgs(first))

  const sentinels: number[] = []
  for (let i = 0; i < sentinelCount; i++) {
    const { port, ...sentinel } = await startSentinel(program, join(directory, `sentinel-${i}`), first, noticeAfterMs)
    parts.use(sentinel)
    sentinels.push(port)
  }
  const known = `status=ok,address=127.0.0.1:${first},slaves=${replicas},sentinels=${sentinelCount}`
  await untilSo('the sentinels know each other and the replicas', async () => {
    const seen = await Promise.all(sentinels.map((port) => askNode(port, (sentinel) => sentinel.info('sentinel'))))
    return seen.every((info) => info.includes(known)) && (await takesWrites(first))
  })

  const master = async () => {
    const question = (sentinel: Redis) => sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)
    const seen = await Promise.all(sentinels.map((port) => askNode(port, question)))
    const ports = seen.map((address) => Number((address as string[])[1]))
    return ports.find((port, i) => ports.indexOf(port) !== i) ?? first
  }
  const owned = parts.move()
  return {
    url: `redis-sentinel://${sentinels.map((port) => `127.0.0.1:${port}`).join(',')}/${masterName}`,
    nodes,
    master,
    rejoin: async (port) => void (await nodes.start(replicaArgs(await master()), port)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startSentinel({ binary, env }: ServerProgram, directory: string, master: number, noticeAfterMs: number) {
  const port = await freePort()
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${masterName} ${noticeAfterMs}`,
    `sentinel failover-timeout ${masterName} 5000`,
  ]
  await writeFile(file, `${settings.join('\n')}\n`)
  const [command = binary, ...args] = [...(await dyingWithParent(env)), binary, file, '--sentinel']
  const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { ended } = follow(child)
  await untilRedisAnswers(port, { withinMs: 10_000 })
  return { port, [Symbol.asyncDispose]: () => stopProcess(child, ended, 5_000) }
}

/** Whether a replica follows closely enough. */
const takesWrites = (port: number) =>
  askNode(port, async (node) => (await node.set('{sentinels}:try', '1', 'PX', 1)) === 'OK')
