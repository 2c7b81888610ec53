import { createCipheriv, hash, randomBytes } from 'node:crypto'
import type { CsvRow } from './csv-rows.ts'

/**
 * By which the rows of a device are found when the file itself is no longer kept: a key of its own, then a tag for each row, in
 * the order of the rows. A tag is the AES-CBC-MAC of the NIC, cut to 48 bits: among a hundred million rows one is found by chance
 * about once in three million searches.
 */
const keyBytes = 32
const tagBytes = 6

const blockBytes = 16
/** All NICs are brought to this length, so that none is the beginning of another. */
const paddedBytes = 2 * blockBytes

/** The index of a file, piece by piece, as its rows are read. */
export async function* deviceIndex(lists: AsyncIterable<readonly CsvRow[]>): AsyncGenerator<Buffer> {
  const key = randomBytes(keyBytes)
  yield key
  for await (const rows of lists)
    yield tagsOf(
      rows.map(({ values }) => values.nicId ?? ''),
      key,
    )
}

/** Numbers of the rows of a device, in their order. */
export async function* rowsOfDevice(index: AsyncIterable<Buffer>, device: string): AsyncGenerator<number> {
  let held = Buffer.alloc(0)
  let tag: Buffer | undefined
  let rowsBefore = 0
  for await (const piece of index) {
    held = Buffer.concat([held, piece])
    if (tag === undefined) {
      if (held.length < keyBytes) continue
      tag = tagsOf([device], held.subarray(0, keyBytes))
      held = held.subarray(keyBytes)
    }
    for (let at = held.indexOf(tag); at !== -1; at = held.indexOf(tag, at + 1)) {
      if (at % tagBytes === 0) yield rowsBefore + at / tagBytes + 1
    }
    const rows = Math.floor(held.length / tagBytes)
    rowsBefore += rows
    held = held.subarray(rows * tagBytes)
  }
}

/** A tag for each device, one after the other. Case does not matter, as with all that is searched for. */
function tagsOf(devices: readonly string[], key: Buffer): Buffer {
  const padded = Buffer.alloc(devices.length * paddedBytes)
  devices.forEach((device, i) => {
    pad(padded, i * paddedBytes, device.trim().toLowerCase())
  })
  // The blocks of all devices at once: a call for each would take ten times as long.
  const blocks = new Int32Array(padded.buffer, padded.byteOffset, padded.length / 4)
  const encrypted = encrypt(blocks, key, Int32Array)
  const second = blockBytes / 4
  for (let at = 0; at < blocks.length; at += 2 * second) {
    for (let i = at; i < at + second; i++) blocks[i + second] = (blocks[i + second] ?? 0) ^ (encrypted[i] ?? 0)
  }
  const macs = encrypt(blocks, key, Uint16Array)
  const tags = new Uint16Array((devices.length * tagBytes) / 2)
  for (let i = 0; i < tags.length; i++) tags[i] = macs[Math.floor(i / 3) * 16 + 8 + (i % 3)] ?? 0
  return Buffer.from(tags.buffer)
}

function pad(target: Buffer, at: number, text: string): void {
  const isWritten = target.write(text, at, paddedBytes) === text.length
  if (!isWritten && Buffer.byteLength(text) > paddedBytes) target.set(hash('sha256', text, 'buffer'), at)
}

type Words<Of> = new (buffer: ArrayBuffer) => Of

/** Block by block. */
function encrypt<Of>(blocks: Int32Array, key: Buffer, As: Words<Of>): Of {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return new As(new Uint8Array(cipher.update(blocks)).buffer)
}
