import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { examples } from '@tieline/contracts/examples'
import { credentials } from '@tieline/testkit/installation'

const boundary = 'bench'

/** A file of so many rows, in pieces, so that nobody holds it whole. */
function* rowsOf(header: string, rows: number, row: (n: number) => string): Generator<string> {
  yield `${header}\n`
  let piece = ''
  for (let n = 1; n <= rows; n++) {
    piece += `${row(n)}\n`
    if (n % 1_000 !== 0 && n !== rows) continue
    yield piece
    piece = ''
  }
}

export const reservationRows = (rows: number): Generator<string> =>
  rowsOf(
    'recordId,nicId,headEndSystemId,reservationStartDateTime,reservationEndDateTime',
    rows,
    (n) => `${n},NIC-${String(n).padStart(9, '0')},NEST,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z`,
  )

export const outcomeRows = (rows: number): Generator<string> =>
  rowsOf(
    'recordId,stageId,nicId,headEndSystemId,outcome,participationStartDateTime,participationEndDateTime',
    rows,
    (n) => `${n},1315,NIC-${String(n).padStart(9, '0')},NEST,SUCCESS,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z`,
  )

/** Posts a file as DERMS does; resolves with the status. */
export async function postFile(
  url: string,
  flow: 'event-reservation' | 'event-outcome',
  messageId: string,
  content: Iterable<string>,
): Promise<number> {
  const { username, password } = credentials.derms
  const sending = request(url, {
    method: 'POST',
    headers: {
      'content-type': `multipart/mixed; boundary=${boundary}`,
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    },
  })
  const answered = new Promise<number>((resolve, reject) => {
    sending.on('error', reject).on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  function* body(): Generator<string> {
    yield `--${boundary}\r\nContent-Type: application/json\r\n\r\n`
    yield JSON.stringify({ ...examples[flow], messageId })
    yield `\r\n--${boundary}\r\nContent-Type: text/csv\r\n\r\n`
    yield* content
    yield `\r\n--${boundary}--\r\n`
  }
  await pipeline(Readable.from(body()), sending)
  return answered
}
