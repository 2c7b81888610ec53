export interface Decoded {
  readonly text: string
  readonly charset: Charset
  /** False: what follows `text` is not in the charset, and nothing more comes. */
  readonly valid: boolean
}

type Charset = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE'

/**
 * Decodes text piece by piece up to the first byte that is none: UTF-16 if a byte order mark says so, else UTF-8. The mark does
 * not belong to the text.
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Decoded> {
  let charset: Charset = 'UTF-8'
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let tail = Buffer.alloc(0)
  for await (const chunk of withWholeMark(bytes)) {
    if (decoder === undefined) {
      charset = charsetOf(chunk)
      decoder = new TextDecoder(charset, { fatal: true })
    }
    const current = decoder
    const text = decode(() => current.decode(chunk, { stream: true }))
    if (text === undefined) {
      yield { text: validStart(Buffer.concat([tail, chunk]), charset), charset, valid: false }
      return
    }
    yield { text, charset, valid: true }
    // A character of UTF-8 has four bytes at most; in UTF-16 the place in the whole matters.
    const end = charset === 'UTF-8' ? chunk.subarray(-3) : chunk
    tail = beginningOfCharacter(Buffer.concat([tail, end]), charset)
  }
  if (decode(() => decoder?.decode() ?? '') === undefined) yield { text: '', charset, valid: false }
}

/** The first piece has two bytes at least, if there are so many. */
async function* withWholeMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first: Uint8Array | undefined = Buffer.alloc(0)
  for await (const piece of bytes) {
    if (first === undefined) {
      yield piece
      continue
    }
    first = Buffer.concat([first, piece])
    if (first.length < 2) continue
    yield first
    first = undefined
  }
  if (first !== undefined && first.length > 0) yield first
}

function charsetOf([first, second]: Uint8Array): Charset {
  if (first === 0xff && second === 0xfe) return 'UTF-16LE'
  return first === 0xfe && second === 0xff ? 'UTF-16BE' : 'UTF-8'
}

function decode(attempt: () => string): string | undefined {
  try {
    return attempt()
  } catch {
    return undefined
  }
}

/** The text before the first byte that is not in the charset. */
function validStart(bytes: Buffer, charset: Charset): string {
  const text = new TextDecoder(charset).decode(bytes)
  return text.slice(0, text.indexOf('\uFFFD'))
}

/** The bytes at the end that are the beginning of a character only. */
function beginningOfCharacter(bytes: Buffer, charset: Charset): Buffer<ArrayBuffer> {
  const length = charset === 'UTF-8' ? begunInUtf8(bytes) : begunInUtf16(bytes, charset)
  return Buffer.from(bytes.subarray(bytes.length - length))
}

function begunInUtf16(bytes: Buffer, charset: Charset): number {
  const odd = bytes.length % 2
  const upper = bytes[bytes.length - odd - (charset === 'UTF-16LE' ? 1 : 2)] ?? 0
  const isHighSurrogate = (upper & 0xfc) === 0xd8
  return isHighSurrogate ? odd + 2 : odd
}

function begunInUtf8(bytes: Buffer): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length] ?? 0
    const isContinuation = (byte & 0xc0) === 0x80
    if (isContinuation) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needed > length ? length : 0
  }
  return 0
}
