import { once } from 'node:events'
import { connect } from 'node:net'

/** Sends the beginning of a body and no more. Resolves when the server has hung up. */
export async function breakOff(method: string, address: string, length: 'content-length: 100' | 'chunked') {
  const { hostname, port, pathname } = new URL(address)
  const socket = connect(Number(port), hostname)
  const [header, part] =
    length === 'chunked' ? ['transfer-encoding: chunked', '4\r\nhalf\r\n'] : [length, 'half of a file']
  const head = `${method} ${pathname} HTTP/1.1\r\nhost: test\r\ncontent-type: application/octet-stream\r\n${header}\r\n`
  socket.end(`${head}\r\n${part}`)
  socket.resume()
  await once(socket, 'close')
}
