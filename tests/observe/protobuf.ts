/** A message of Protocol Buffers: its fields by number. What is not there reads as empty. */
export interface Message {
  has(field: number): boolean
  number(field: number): number
  text(field: number): string
  hex(field: number): string
  messages(field: number): Message[]
}

/** Reads the wire format as far as traces need it. */
export function fieldsOf(bytes: Buffer): Message {
  const found = readFields(bytes)
  const all = (field: number) => found.filter(({ number }) => number === field)
  const last = (field: number) => all(field).at(-1)
  return {
    has: (field) => last(field) !== undefined,
    number: (field) => Number(last(field)?.integer ?? 0),
    text: (field) => (last(field)?.bytes ?? Buffer.alloc(0)).toString('utf8'),
    hex: (field) => (last(field)?.bytes ?? Buffer.alloc(0)).toString('hex'),
    messages: (field) => all(field).map(({ bytes = Buffer.alloc(0) }) => fieldsOf(bytes)),
  }
}

interface Field {
  readonly number: number
  readonly integer?: bigint
  readonly bytes?: Buffer
}

function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Buffer => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    const wireType = tag & 7
    if (wireType === 0) fields.push({ number, integer: varint() })
    else if (wireType === 1) fields.push({ number, bytes: take(8) })
    else if (wireType === 2) fields.push({ number, bytes: take(Number(varint())) })
    else if (wireType === 5) fields.push({ number, bytes: take(4) })
    else throw new Error(`A field has the unknown wire type ${wireType}`)
  }
  return fields
}
