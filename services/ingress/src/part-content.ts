import type { Part } from './multipart.ts'
import { Refusal } from './problems.ts'
import { isJsonType, malformed } from './read-body.ts'
import { undoTransferEncoding } from './transfer-encoding.ts'

/** What a part carries, without the ways of its transport. */
export interface PartContent {
  readonly isJson: boolean
  /** In UTF-8, unless it is a file that says by a byte order mark what it is in. */
  readonly bytes: AsyncGenerator<Buffer>
}

/** So much of a part is looked at to find out what it is. */
const headBytesMax = 1024

/**
 * Opens a part: undoes its transfer encoding, finds out whether it is JSON, and puts it into UTF-8 when it declares another
 * charset. A part that does not say what it is is JSON when it begins like an object and is not called a CSV file.
 * @throws Refusal 415 for an encoding or a charset that is not known, 400, also while it is read, for content that is not in it
 */
export async function openPart(part: Part): Promise<PartContent> {
  const content = undoTransferEncoding(part.content, part.encoding)[Symbol.asyncIterator]()
  const head = await readHead(content)
  const marked = markedCharset(head)
  const charset = marked ?? declaredCharset(part.charset, head)
  const isJson = isJsonType(part.mediaType) || (saysNothing(part) && beginsLikeJson(head, charset))
  const bytes = continued(head, content)
  const isReadable = charset === 'utf-8' || (marked !== undefined && !isJson)
  return { isJson, bytes: isReadable ? bytes : toUtf8(bytes, charset) }
}

async function readHead(content: AsyncIterator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0)
  while (head.length < headBytesMax) {
    const next = await content.next()
    if (next.done) break
    head = Buffer.concat([head, next.value])
  }
  return head
}

async function* continued(head: Buffer, content: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  for (let next = await content.next(); !next.done; next = await content.next()) yield next.value
}

/** By the byte order mark. */
function markedCharset(head: Buffer): string | undefined {
  const begins = (...mark: readonly number[]) => mark.every((byte, i) => head[i] === byte)
  if (begins(0xef, 0xbb, 0xbf)) return 'utf-8'
  if (begins(0xff, 0xfe)) return 'utf-16le'
  return begins(0xfe, 0xff) ? 'utf-16be' : undefined
}

/** @throws Refusal 415 */
function declaredCharset(charset: string | undefined, head: Buffer): string {
  // To Node's decoder ASCII is Windows-1252; who writes that says so.
  if (charset === undefined || charset === 'us-ascii' || charset === 'ascii') return 'utf-8'
  if (charset === 'utf-16' && head[0] === 0) return 'utf-16be'
  try {
    return new TextDecoder(charset).encoding
  } catch {
    throw new Refusal(415, 'unsupported-media-type', 'The charset of a part is not known')
  }
}

const saysNothing = ({ mediaType, fileName }: Part): boolean =>
  (mediaType === '' || mediaType === 'text/plain') && !/\.csv$/i.test(fileName ?? '')

const beginsLikeJson = (head: Buffer, charset: string): boolean =>
  new TextDecoder(charset).decode(head).trimStart().startsWith('{')

async function* toUtf8(bytes: AsyncIterable<Buffer>, charset: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(charset, { fatal: true })
  try {
    for await (const piece of bytes) yield Buffer.from(decoder.decode(piece, { stream: true }))
    yield Buffer.from(decoder.decode())
  } catch (error) {
    if (error instanceof TypeError) throw malformed('The content of a part is not in the charset that it declares')
    throw error
  }
}
