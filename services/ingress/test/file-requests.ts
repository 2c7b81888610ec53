import { once } from 'node:events'
import { request } from 'node:http'
import { basic, openIngress } from './harness.ts'

export const boundary = 'derms-7f1c'
export const csv = 'nicId,headEndSystemId\nNIC-1,NEST\n'
export const reservation = { drmsInstanceId: 'SITE1', messageId: 'RSV-1', eventId: '1301', stageId: '1315' }
export const key = 'event-reservation.SITE1.RSV-1'

export interface PartText {
  readonly head: Record<string, string>
  readonly body: string | Buffer
}

export const jsonPart = (body: unknown = reservation): PartText => ({
  head: { 'Content-Type': 'application/json', 'Content-Disposition': 'form-data; name="request"' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
export const filePart = (body: string | Buffer = csv, head: Record<string, string> = {}): PartText => ({
  head: {
    'Content-Type': 'text/csv',
    'Content-Disposition': 'attachment; name="file"; filename="DeviceReservation_RSV-1.csv"',
    ...head,
  },
  body,
})

export function multipart(...parts: PartText[]): Buffer {
  const rendered = parts.flatMap(({ head, body }) => [
    Buffer.from(
      `--${boundary}\r\n${Object.entries(head)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    ),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...rendered, Buffer.from(`--${boundary}--\r\n`)])
}

export const connections = {
  DACS: { kind: 'dacs', baseUrl: 'http://127.0.0.1:9', auth: 'none' },
  DERMS: { kind: 'derms', baseUrl: 'http://127.0.0.1:9', auth: 'none' },
}

export const openForFiles = (options: Parameters<typeof openIngress>[0] = {}) =>
  openIngress({ ...options, sections: { connections, ...options.sections } })

export type Ingress = Awaited<ReturnType<typeof openForFiles>>

export const send = (
  { post }: Ingress,
  body: Buffer,
  type = `multipart/mixed; boundary=${boundary}`,
  headers: Record<string, string> = {},
) => post('event-reservation', body, { headers: { 'content-type': type, ...headers } })

/** A request whose body is sent piece by piece. */
export function open({ url }: Ingress, headers: Record<string, string> = {}) {
  const sending = request(`${url}/derms/reserveDevice`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/mixed; boundary=${boundary}`,
      authorization: basic('derms', 'pw-derms'),
      ...headers,
    },
  })
  sending.on('error', () => undefined)
  const answered = once(sending, 'response').then(
    ([response]) => {
      response.resume()
      return { status: response.statusCode as number }
    },
    () => undefined,
  )
  return { request: sending, answered }
}
