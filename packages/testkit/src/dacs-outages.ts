import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createDacsSimulator, type DacsOptions, type DacsSimulator } from '@tieline/simulators/dacs'
import { serve } from '@tieline/simulators/start'

/** How an outage shows to callers. */
export const outageKinds = ['503', 'time-out', 'refused connections'] as const
export type OutageKind = (typeof outageKinds)[number]

export interface DacsWithOutages extends AsyncDisposable {
  readonly url: string
  readonly simulator: DacsSimulator
  /** Nothing takes effect from now on, until the returned function is called. */
  begin(kind: OutageKind): Promise<() => Promise<void>>
}

/** A simulated DACS that can be away in each way that an outage has. */
export async function startDacsWithOutages(options: DacsOptions): Promise<DacsWithOutages> {
  const simulator = createDacsSimulator(options)
  let listening = await serve(simulator, {})
  const { port, url } = listening
  const comeBack = async () => {
    listening = await serve(simulator, { port })
  }
  const beginners: Record<OutageKind, () => Promise<() => Promise<void>>> = {
    async '503'() {
      simulator.failNext({ status: 503, times: 1_000_000 })
      return async () => simulator.heal()
    },
    async 'time-out'() {
      await listening[Symbol.asyncDispose]()
      const silent = await takeAndSayNothing(port)
      return async () => {
        await silent[Symbol.asyncDispose]()
        await comeBack()
      }
    },
    async 'refused connections'() {
      await listening[Symbol.asyncDispose]()
      return comeBack
    },
  }
  return {
    url,
    simulator,
    begin: (kind) => beginners[kind](),
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

async function takeAndSayNothing(port: number): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
