import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** How bytes go on from the server: as they come, not at all, or so many every few milliseconds. */
type Pace = 'flow' | 'hold' | number

/** Stands before a real server, sets the pace at which its answers arrive, and breaks connections in the middle of them. */
export async function startPacingProxy(target: number, port = 0) {
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>()
  let pace: Pace = 'flow'
  let bytesUntilCut = Number.POSITIVE_INFINITY

  const forward = (client: Socket, upstream: Socket, bytesMax?: number) => {
    const piece: Buffer | null = (bytesMax !== undefined && upstream.read(bytesMax)) || upstream.read()
    if (piece === null) return
    client.write(piece.subarray(0, bytesUntilCut))
    bytesUntilCut -= piece.length
    if (bytesUntilCut > 0) return
    bytesUntilCut = Number.POSITIVE_INFINITY
    client.destroySoon()
  }
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const pair = { client, upstream }
    pairs.add(pair)
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true).on('error', () => undefined)
      socket.once('close', () => {
        pairs.delete(pair)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('readable', () => pace === 'flow' && forward(client, upstream))
    upstream.once('end', () => client.end())
  })
  const tick = setInterval(() => {
    if (pace === 'hold') return
    for (const { client, upstream } of pairs) forward(client, upstream, pace === 'flow' ? undefined : pace)
  }, 2)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    set(wanted: Pace) {
      pace = wanted
    },
    /** Of all connections together. */
    cutAfter(bytes: number) {
      bytesUntilCut = bytes
    },
    async [Symbol.asyncDispose]() {
      clearInterval(tick)
      server.close()
      for (const { client, upstream } of pairs) {
        client.destroy()
        upstream.destroy()
      }
    },
  }
}
