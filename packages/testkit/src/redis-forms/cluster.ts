import { freePort } from '@tieline/runtime/redis-process'
import {
  askNode,
  createRedisNodes,
  type RedisNodes,
  type ReplicationOptions,
  type ServerProgram,
  untilSo,
} from './redis-nodes.ts'

export interface ClusterForm extends AsyncDisposable {
  readonly url: string
  readonly nodes: RedisNodes
  /** The port of the master that has a key. */
  masterOf(key: string): Promise<number>
  /** Starts a server that was killed again; it knows its place. */
  rejoin(port: number): Promise<void>
}

const masterCount = 3
const slotCount = 16_384

/** Three masters, each with as many replicas as asked for. */
export async function startCluster(
  program: ServerProgram,
  directory: string,
  { replicas, noticeAfterMs }: ReplicationOptions,
): Promise<ClusterForm> {
  await using parts = new AsyncDisposableStack()
  const nodes = parts.use(createRedisNodes(program, directory))
  const start = async (port?: number) => {
    const args = [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-node-timeout', String(noticeAfterMs), '--cluster-replica-validity-factor', '0'],
      // The usual one, 10,000 above the other, may be no port at all.
      ...['--cluster-port', String(await freePort())],
      ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
    ]
    return nodes.start(args, port)
  }
  const all: number[] = []
  while (all.length < masterCount * (1 + replicas)) all.push(await start())
  const masters = all.slice(0, masterCount)

  for (const [i, port] of all.entries()) await tell(port, 'SET-CONFIG-EPOCH', i + 1)
  for (const [i, port] of masters.entries()) {
    const [from, to] = [i, i + 1].map((n) => Math.floor((n * slotCount) / masterCount))
    await tell(port, 'ADDSLOTSRANGE', from ?? 0, (to ?? 0) - 1)
  }
  const [first = 0, ...others] = all
  for (const port of others) await tell(first, 'MEET', '127.0.0.1', port, await busPort(port))
  await untilAll(all, 'the servers know each other', (info) => info.includes(`cluster_known_nodes:${all.length}`))
  for (const [i, port] of all.slice(masterCount).entries()) {
    await tell(port, 'REPLICATE', String(await tell(masters[i % masterCount] ?? 0, 'MYID')))
  }
  await untilAll(all, 'the cluster is well', (info) => info.includes('cluster_state:ok'))
  const isComplete = ({ ports }: SlotRange) => ports.length === 1 + replicas
  await untilSo('the replicas follow', async () => {
    const views = await Promise.all(all.map(slotsOf))
    const links = await Promise.all(all.map((port) => askNode(port, (node) => node.info('replication'))))
    const known = views.every((slots) => slots.length === masterCount && slots.every(isComplete))
    return known && !links.some((info) => info.includes('master_link_status:down'))
  })

  const owned = parts.move()
  return {
    url: `redis-cluster://${masters.map((port) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    async masterOf(key) {
      const [any = 0] = nodes.ports()
      const slot = Number(await tell(any, 'KEYSLOT', key))
      const range = (await slotsOf(any)).find(({ from, to }) => from <= slot && slot <= to)
      return range?.ports[0] ?? 0
    },
    rejoin: async (port) => void (await start(port)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const tell = (port: number, command: string, ...args: (string | number)[]) =>
  askNode(port, (node) => node.call('CLUSTER', command, ...args))

const untilAll = (ports: readonly number[], what: string, isSo: (info: string) => boolean) =>
  untilSo(what, async () => {
    const infos = await Promise.all(ports.map((port) => tell(port, 'INFO')))
    return infos.every((info) => isSo(String(info)))
  })

interface SlotRange {
  readonly from: number
  readonly to: number
  /** The master first. */
  readonly ports: readonly number[]
}

async function slotsOf(port: number): Promise<SlotRange[]> {
  const slots = (await tell(port, 'SLOTS')) as [number, number, ...[string, number][]][]
  return slots.map(([from, to, ...servers]) => ({ from, to, ports: servers.map(([, server]) => server) }))
}

const busPort = (port: number) =>
  askNode(port, async (node) => ((await node.config('GET', 'cluster-port')) as string[])[1] ?? '')
