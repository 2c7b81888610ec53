import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'

export interface StrictAnswer {
  readonly statusLine: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/**
 * Writes requests to one connection, the last of which closes it, and cuts what comes into answers by nothing but their
 * Content-Length, each of which must fit to the byte.
 */
export async function talk(url: string, requests: readonly string[], ca?: string): Promise<StrictAnswer[]> {
  const { hostname, port, protocol } = new URL(url)
  const where = { host: hostname, port: Number(port) }
  const socket = protocol === 'https:' ? connectTls({ ...where, ...(ca !== undefined && { ca }) }) : connect(where)
  socket.write(requests.map((lines) => `${lines.replaceAll('\n', '\r\n')}\r\n\r\n`).join(''))
  let rest = await buffer(socket)
  const answers: StrictAnswer[] = []
  while (rest.length > 0) {
    const headEnd = rest.indexOf('\r\n\r\n')
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n')
    const headers = new Map(
      lines.map((line): [string, string] => {
        const [, name = '', value = ''] = /^([^:\s]+): (.*)$/.exec(line) ?? []
        return [name.toLowerCase(), value]
      }),
    )
    const length = Number(headers.get('content-length'))
    const bodyStart = headEnd + 4
    if (headEnd < 0 || !Number.isInteger(length) || rest.length < bodyStart + length) throw new Error('Broken answer')
    answers.push({ statusLine, headers, body: rest.subarray(bodyStart, bodyStart + length) })
    rest = rest.subarray(bodyStart + length)
  }
  return answers
}
