import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands before a real server and cuts connections where the server itself cannot be told to. */
export async function startCuttingProxy(target: number) {
  const sockets = new Set<Socket>()
  let bytesUntilCut = Number.POSITIVE_INFINITY
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      bytesUntilCut -= chunk.length
      if (bytesUntilCut <= 0) {
        bytesUntilCut = Number.POSITIVE_INFINITY
        client.destroy()
      } else if (!client.write(chunk)) {
        upstream.pause()
        client.once('drain', () => upstream.resume())
      }
    })
    upstream.once('end', () => client.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    /** Of all connections together, on their way from the server. */
    cutAfter(bytes: number) {
      bytesUntilCut = bytes
    },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
