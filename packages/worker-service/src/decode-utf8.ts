export interface Decoded {
  readonly text: string
  /** False: what follows `text` is not UTF-8, and nothing more comes. */
  readonly valid: boolean
}

/** Decodes UTF-8 piece by piece, without a byte order mark at the beginning, up to the first byte that is none. */
export async function* decodeUtf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Decoded> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let tail = Buffer.alloc(0)
  for await (const chunk of bytes) {
    const text = decode(() => decoder.decode(chunk, { stream: true }))
    if (text === undefined) {
      yield { text: validStart(Buffer.concat([tail, chunk])), valid: false }
      return
    }
    yield { text, valid: true }
    tail = beginningOfCharacter(Buffer.concat([tail, chunk.subarray(-3)]))
  }
  if (decode(() => decoder.decode()) === undefined) yield { text: '', valid: false }
}

function decode(attempt: () => string): string | undefined {
  try {
    return attempt()
  } catch {
    return undefined
  }
}

/** The text before the first byte that is not UTF-8. */
function validStart(bytes: Buffer): string {
  const text = new TextDecoder('utf-8').decode(bytes)
  return text.slice(0, text.indexOf('\uFFFD'))
}

/** The bytes at the end that are the beginning of a character only. */
function beginningOfCharacter(bytes: Buffer): Buffer<ArrayBuffer> {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length] ?? 0
    const isContinuation = (byte & 0xc0) === 0x80
    if (isContinuation) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return Buffer.from(needed > length ? bytes.subarray(-length) : [])
  }
  return Buffer.alloc(0)
}
