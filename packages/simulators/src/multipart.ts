import { randomUUID } from 'node:crypto'

export interface AttachedFile {
  readonly name: string
  readonly content: string | Uint8Array
}

export interface RenderedBody {
  readonly contentType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A JSON part and a CSV file, in the shape that is documented (docs/wire-facts.md, Messages with a file). */
export function renderMultipart(body: unknown, { name, content }: AttachedFile): RenderedBody {
  const boundary = `derms-${randomUUID()}`
  const head = [
    `--${boundary}`,
    'Content-Type: application/json',
    'Content-Disposition: form-data; name="request"',
    '',
    JSON.stringify(body),
    `--${boundary}`,
    'Content-Type: text/csv',
    `Content-Disposition: attachment; name="file"; filename="${name.replaceAll(/["\\]/g, '\\$&')}"`,
    '',
    '',
  ].join('\r\n')
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)])
  return { contentType: `multipart/mixed; boundary=${boundary}`, bytes: new Uint8Array(bytes) }
}
