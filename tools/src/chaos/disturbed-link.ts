import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What happens to a network. `oneIn`: every so many-th connection, 1 for all. */
export type Disturbance =
  /** Connections break when so many more bytes have passed, in the middle of whatever that is. */
  | { readonly kind: 'cut'; readonly oneIn: number; readonly afterBytes: number }
  /** Every piece arrives later, in both directions. */
  | { readonly kind: 'delay'; readonly ms: number; readonly forMs: number }
  | { readonly kind: 'throttle'; readonly bytesPerS: number; readonly forMs: number }
  /** Connections stay open and nothing arrives any more; at last they break. */
  | { readonly kind: 'half-open'; readonly oneIn: number; readonly forMs: number }

export interface DisturbedLink extends AsyncDisposable {
  readonly port: number
  /** Resolves when it is over. */
  disturb(disturbance: Disturbance): Promise<void>
  /** Ends every disturbance. */
  heal(): void
  /** How many connections were broken. */
  readonly broken: () => number
}

export interface LinkOptions {
  /**
   * What one side wrote before it closed the connection still arrives, however late. Without, it is lost: else a call that its
   * caller gave up could overtake the calls after it, which nobody could prevent.
   */
  readonly lateArrivals: boolean
}

/** A piece of network before a server of this machine. */
export async function startDisturbedLink(target: number, options: LinkOptions): Promise<DisturbedLink> {
  const weather: Weather = { delayMs: 0, bytesPerS: Number.POSITIVE_INFINITY }
  const connections = new Set<Connection>()
  let healed = new AbortController()
  let broken = 0

  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const sockets = [client, upstream] as const
    const connection: Connection = {
      bytesLeft: Number.POSITIVE_INFINITY,
      silent: false,
      break() {
        if (connections.delete(connection)) broken += 1
        for (const socket of sockets) socket.destroy()
      },
    }
    connections.add(connection)
    for (const socket of sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
    }
    void Promise.all([
      carry(client, upstream, { weather, connection, flush: options.lateArrivals }),
      carry(upstream, client, { weather, connection, flush: true }),
    ]).then(() => connections.delete(connection))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const some = (oneIn: number) => [...connections].filter((_, i) => i % oneIn === 0)
  const lasting = (forMs: number) => delay(forMs, undefined, { signal: healed.signal }).catch(() => undefined)
  return {
    port: (server.address() as AddressInfo).port,
    broken: () => broken,
    async disturb(disturbance) {
      switch (disturbance.kind) {
        case 'cut':
          for (const connection of some(disturbance.oneIn)) connection.bytesLeft = disturbance.afterBytes
          return
        case 'delay':
          weather.delayMs = disturbance.ms
          await lasting(disturbance.forMs)
          weather.delayMs = 0
          return
        case 'throttle':
          weather.bytesPerS = disturbance.bytesPerS
          await lasting(disturbance.forMs)
          weather.bytesPerS = Number.POSITIVE_INFINITY
          return
        case 'half-open': {
          const chosen = some(disturbance.oneIn)
          for (const connection of chosen) connection.silent = true
          await lasting(disturbance.forMs)
          for (const connection of chosen) connection.break()
        }
      }
    },
    heal() {
      healed.abort()
      healed = new AbortController()
      Object.assign(weather, { delayMs: 0, bytesPerS: Number.POSITIVE_INFINITY })
      for (const connection of connections) {
        connection.bytesLeft = Number.POSITIVE_INFINITY
        if (connection.silent) connection.break()
      }
    },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const connection of connections) connection.break()
    },
  }
}

interface Weather {
  delayMs: number
  bytesPerS: number
}

interface Connection {
  bytesLeft: number
  /** What is sent is lost, and neither side hears that the other one went away. */
  silent: boolean
  break(): void
}

interface Way {
  readonly weather: Weather
  readonly connection: Connection
  /** Whether what is on its way when the sender closes still arrives. */
  readonly flush: boolean
}

/** Carries what one side writes to the other side, until it closes. */
async function carry(from: Socket, to: Socket, { weather, connection, flush }: Way): Promise<void> {
  let tail = Promise.resolve()
  let closed = false
  const pass = async (chunk: Buffer) => {
    if (weather.delayMs > 0) await delay(weather.delayMs)
    if (Number.isFinite(weather.bytesPerS)) await delay((chunk.length / weather.bytesPerS) * 1_000)
    if (connection.silent || to.destroyed || (closed && !flush)) return
    connection.bytesLeft -= chunk.length
    if (connection.bytesLeft > 0) {
      to.write(chunk)
      return
    }
    to.write(chunk.subarray(0, Math.max(chunk.length + connection.bytesLeft, 0)))
    connection.break()
  }
  from.on('data', (chunk: Buffer) => {
    tail = tail.then(() => pass(chunk))
  })
  await new Promise<void>((resolve) => {
    from.once('end', resolve)
    from.once('close', resolve)
  })
  closed = true
  await tail
  // Who listens on a silent connection hears nothing of its end.
  if (!connection.silent) to.end()
}
