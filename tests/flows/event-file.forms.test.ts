import { canonicalJson } from '@tieline/contracts/canonical-json'
import { examples } from '@tieline/contracts/examples'
import type { FileFlowId } from '@tieline/contracts/flows'
import type { Pipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyOf, openPipeline, outcome, outcomeCsv, reservation, reservationCsv } from './files.ts'

/** Whatever senders make of a file and of the body around it: the same calls reach DACS. */

const boundary = 'derms-1'
const rendered = (head: string, content: string | Buffer) =>
  Buffer.concat([Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')])

interface Sent {
  readonly flow: FileFlowId
  readonly message: { readonly messageId: string }
  readonly csv: string
}

/** The body of a request, from the JSON part, the file, and the golden file as it is. */
type Render = (sent: Sent) => { readonly bytes: Buffer; readonly type?: string }

const jsonHead = 'Content-Type: application/json'
const csvHead = 'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="d.csv"'

const body = (...parts: Buffer[]) => Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
const withFile =
  (file: string | Buffer, head = csvHead): Render =>
  ({ message }) => ({
    bytes: body(rendered(jsonHead, JSON.stringify(message)), rendered(head, file)),
  })
const fileAs =
  (change: (csv: string) => string | Buffer, head?: string): Render =>
  (sent) =>
    withFile(change(sent.csv), head)(sent)

const lines = (csv: string) => csv.trimEnd().split('\n')
const rows = (change: (row: string) => string) => (csv: string) => {
  const [header = '', ...rest] = lines(csv)
  return [header, ...rest.map(change), ''].join('\n')
}
const encoded = `${csvHead}\r\nContent-Transfer-Encoding:`

const forms: readonly [name: string, render: Render][] = [
  ['as the guide shows it', fileAs((csv) => csv)],
  ['with semicolons', fileAs((csv) => csv.replaceAll(',', ';'))],
  ['with tabs', fileAs((csv) => csv.replaceAll(',', '\t'))],
  ['with bars', fileAs((csv) => csv.replaceAll(',', '|'))],
  ['in UTF-16LE', fileAs((csv) => Buffer.from(`\ufeff${csv}`, 'utf16le'))],
  ['in UTF-16BE', fileAs((csv) => Buffer.from(`\ufeff${csv}`, 'utf16le').swap16())],
  [
    'in the charset that its part declares',
    fileAs((csv) => Buffer.from(csv, 'utf16le'), 'Content-Type: text/csv; charset=utf-16le'),
  ],
  ['with CRLF', fileAs((csv) => csv.replaceAll('\n', '\r\n'))],
  ['with CR alone', fileAs((csv) => csv.replaceAll('\n', '\r'))],
  ['with a line sep=,', fileAs((csv) => `sep=,\r\n${csv}`)],
  ['with a trailing comma in the rows only', fileAs(rows((row) => `${row},`))],
  ['with lines of commas', fileAs((csv) => `,,\n${csv.replace('\n', '\n,,,\n')},,\n`)],
  ['with Ctrl-Z', fileAs((csv) => `${csv}\u001a`)],
  ['with blanks around every value', fileAs(rows((row) => row.replaceAll(',', ' , ').replace(/^/, ' ')))],
  [
    'in base64',
    fileAs((csv) => Buffer.from(csv).toString('base64').replaceAll(/.{76}/g, '$&\r\n'), `${encoded} base64`),
  ],
  [
    'in quoted-printable',
    fileAs(
      (csv) => csv.replaceAll(/[=,N]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}=\r\n`),
      `${encoded} quoted-printable`,
    ),
  ],
  [
    'in a body whose lines end with LF',
    (sent) => ({ bytes: Buffer.from(withFile(sent.csv)(sent).bytes.toString().replaceAll('\r\n', '\n')) }),
  ],
  [
    'behind JSON without a type, as a form sends it',
    ({ message, csv }) => ({
      bytes: body(
        rendered('Content-Disposition: form-data; name="request"', JSON.stringify(message)),
        rendered('Content-Disposition: form-data; name="file"; filename="d.csv"', csv),
      ),
      type: 'multipart/form-data',
    }),
  ],
  ['as multipart/related', (sent) => ({ ...withFile(sent.csv)(sent), type: 'multipart/related' })],
]

describe('whatever form a file has, the same calls reach DACS, and DERMS is told SUCCESS', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await openPipeline()
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  const post = (flow: FileFlowId, bytes: Buffer, type = 'multipart/mixed') =>
    pipeline.post(flow, bytes, { headers: { 'content-type': `${type}; boundary=${boundary}` } })

  const golden = [
    { flow: 'event-reservation', message: reservation, csv: reservationCsv, operation: 'reserveDevice' },
    { flow: 'event-outcome', message: outcome, csv: outcomeCsv, operation: 'postEventOutcome' },
  ] as const

  describe.each(golden)('$flow', ({ flow, message, csv, operation }) => {
    test.each(forms)('%s', async (name, render) => {
      const before = pipeline.dacs.received.length
      const sent = { ...message, messageId: `F-${forms.findIndex(([form]) => form === name)}` }
      const { bytes, type } = render({ flow, message: sent, csv })
      expect(await post(flow, bytes, type)).toMatchObject({ status: 202 })
      expect(await pipeline.until(keyOf(flow, sent), 'succeeded', 'dead', 'refused')).toMatchObject({
        state: 'succeeded',
      })
      const calls = pipeline.dacs.received.slice(before).map((call) => ({
        operation: call.operation,
        body: canonicalJson(call.body),
      }))
      expect(calls).toEqual([
        { operation: 'healthCheck', body: expect.anything() },
        { operation, body: canonicalJson(examples[`${flow}.to-dacs`]) },
      ])
    })

    test('a row with NUL in an id is refused, the others go', async () => {
      const sent = { ...message, messageId: 'F-NUL' }
      const [first = ''] = lines(csv).slice(1)
      const file = `${lines(csv)[0]}\n${first.replace('NIC', 'N\0C')}\n${first}\n`
      expect(await post(flow, withFile(file)({ flow, message: sent, csv }).bytes)).toMatchObject({ status: 202 })
      expect(await pipeline.until(keyOf(flow, sent), 'dead')).toMatchObject({
        code: 'rows-left-out',
        rows: { read: 2, confirmed: 1, refused: 1 },
      })
      const { out } = await pipeline.tieline('messages', 'rows', keyOf(flow, sent))
      expect(out).toContain('nicId: holds a control character')
    })
  })
})
