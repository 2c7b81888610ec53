import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openStream, sealStream } from '../src/files/sealed-stream.ts'

const key = { id: 'k1', key: Buffer.alloc(32, 7) }
const frame = 65_536

async function* pieces(bytes: Buffer, pieceBytes = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const collect = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream))
const seal = (plain: Buffer, context = 'file-1', with_ = key) => collect(sealStream(pieces(plain), with_, context))
const open = (sealed: Buffer, context = 'file-1', keys = [key], pieceBytes?: number) =>
  collect(openStream(pieces(sealed, pieceBytes), keys, context))

describe('a sealed stream', () => {
  test.each([0, 1, frame - 1, frame, frame + 1, 2 * frame, 5 * frame + 123])(
    'of %i bytes opens to what went in, whatever pieces it comes in, and shows nothing of it',
    async (bytes) => {
      const plain = randomBytes(bytes)
      const sealed = await seal(plain)
      for (const pieceBytes of [97, frame, frame + 16, 1_000_000]) {
        expect((await open(sealed, 'file-1', [key], pieceBytes)).equals(plain)).toBe(true)
      }
      if (bytes > 16) expect(sealed.includes(plain.subarray(0, 16))).toBe(false)
    },
  )

  test('is never the same twice', async () => {
    expect((await seal(Buffer.from('a'))).equals(await seal(Buffer.from('a')))).toBe(false)
  })

  test('opens with any known key, so that keys can be rotated, and with no other', async () => {
    const sealed = await seal(Buffer.from('plain'))
    const newer = { id: 'k2', key: Buffer.alloc(32, 8) }
    expect(String(await open(sealed, 'file-1', [newer, key]))).toBe('plain')
    await expect(open(sealed, 'file-1', [newer])).rejects.toMatchObject({ code: 'payload-unreadable' })
    await expect(open(sealed, 'file-1', [{ id: 'k1', key: newer.key }])).rejects.toThrow('another key of the same id')
  })

  test('opens where it belongs only', async () => {
    await expect(open(await seal(Buffer.from('plain')), 'file-2')).rejects.toMatchObject({ code: 'payload-unreadable' })
  })

  test('that was damaged, cut off, lengthened, or had frames swapped does not open to its end', async () => {
    const plain = randomBytes(3 * frame)
    const sealed = await seal(plain)
    const header = sealed.indexOf('\n') + 1
    const frames = [0, 1, 2].map((n) => sealed.subarray(header + n * (frame + 16), header + (n + 1) * (frame + 16)))
    const join = (...order: number[]) =>
      Buffer.concat([sealed.subarray(0, header), ...order.map((n) => frames[n] ?? Buffer.alloc(0))])
    expect((await open(join(0, 1, 2))).equals(plain)).toBe(true)
    const flipped = Buffer.from(sealed)
    flipped.writeUInt8(flipped.readUInt8(header + frame) ^ 1, header + frame)
    for (const broken of [
      join(0, 1),
      join(0),
      join(),
      join(1, 0, 2),
      join(0, 2),
      join(0, 1, 2, 2),
      sealed.subarray(0, sealed.length - 1),
      Buffer.concat([sealed, Buffer.from('x')]),
      flipped,
      sealed.subarray(0, 3),
      Buffer.alloc(0),
      randomBytes(500),
    ])
      await expect(open(broken)).rejects.toMatchObject({ code: 'payload-unreadable', retry: { kind: 'never' } })
  })

  test('without a key is kept in clear', async () => {
    const sealed = await collect(sealStream(pieces(Buffer.from('plain')), undefined, 'file-1'))
    expect(String(sealed)).toBe('0\nplain')
    expect(String(await open(sealed, 'anything', []))).toBe('plain')
  })

  test('hands on what went wrong where it comes from, and ends its source when nobody reads on', async () => {
    let ended = 0
    async function* failing(error?: Error): AsyncGenerator<Buffer> {
      try {
        for (let n = 0; n < 100; n++) yield Buffer.alloc(frame)
        if (error) throw error
      } finally {
        ended += 1
      }
    }
    await expect(collect(sealStream(failing(new Error('broke off')), key, 'c'))).rejects.toThrow('broke off')
    let chunks = 0
    for await (const _ of sealStream(failing(), key, 'c')) if (++chunks === 2) break
    expect(ended).toBe(2)
    const sealed = await seal(Buffer.alloc(3 * frame))
    const source = pieces(sealed)
    for await (const _ of openStream(source, [key], 'file-1')) break
    expect(await source.next()).toEqual({ done: true, value: undefined })
  })
})
