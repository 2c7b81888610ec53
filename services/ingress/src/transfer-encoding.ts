import { Refusal } from './problems.ts'
import { malformed } from './read-body.ts'

type Pieces = AsyncIterable<Buffer>

/** Ways in which the content of a part may be written (RFC 2045, section 6). */
const decoders: Readonly<Record<string, (pieces: Pieces) => Pieces>> = {
  '': (pieces) => pieces,
  '7bit': (pieces) => pieces,
  '8bit': (pieces) => pieces,
  binary: (pieces) => pieces,
  base64: fromBase64,
  'quoted-printable': fromQuotedPrintable,
}

/**
 * The content of a part as it was before it was encoded. What is no such encoding is refused while it is read: a byte that is
 * passed over could be a row that is lost.
 * @param encoding `Content-Transfer-Encoding` in small letters, empty for none
 * @throws Refusal 415 for one that is not known, 400 for content that is not written in it
 */
export function undoTransferEncoding(pieces: Pieces, encoding: string): Pieces {
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (decode !== undefined) return decode(pieces)
  const message = 'Content-Transfer-Encoding of a part must be 7bit, 8bit, binary, base64 or quoted-printable'
  throw new Refusal(415, 'unsupported-media-type', message)
}

async function* fromBase64(pieces: Pieces): AsyncGenerator<Buffer> {
  let rest = ''
  let ended = false
  for await (const piece of pieces) {
    const text = rest + piece.toString('latin1').replaceAll(/[\s]+/g, '')
    const end = text.length - (text.length % 4)
    rest = text.slice(end)
    if (end === 0) continue
    if (ended) throw notIn('base64')
    ended = text[end - 1] === '='
    yield base64Bytes(text.slice(0, end))
  }
  if (rest === '') return
  // Some leave out the padding.
  if (ended || rest.length === 1) throw notIn('base64')
  yield base64Bytes(rest)
}

function base64Bytes(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw notIn('base64')
  return Buffer.from(text, 'base64')
}

/** Lines of quoted-printable have 76 characters. */
const heldLengthMax = 1_000

async function* fromQuotedPrintable(pieces: Pieces): AsyncGenerator<Buffer> {
  let held = ''
  for await (const piece of pieces) {
    const text = held + piece.toString('latin1')
    // What comes may begin in one piece and end in the next.
    const begun = /=(?:[0-9A-Fa-f]?|[ \t]*\r?)$/.exec(text)
    held = begun?.[0] ?? ''
    if (held.length > heldLengthMax) throw notIn('quoted-printable')
    const bytes = quotedBytes(text.slice(0, text.length - held.length))
    if (bytes.length > 0) yield bytes
  }
  // The line end after a last `=` belongs to the boundary.
  if (!/^(?:=[ \t]*\r?)?$/.test(held)) throw notIn('quoted-printable')
}

function quotedBytes(text: string): Buffer {
  if (/=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n)/.test(text)) throw notIn('quoted-printable')
  const plain = text.replaceAll(/=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)/g, (_, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(plain, 'latin1')
}

const notIn = (encoding: string) => malformed(`The content of a part is not ${encoding}, as it says`)
