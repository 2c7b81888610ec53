import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { piecesOfPdf } from '../src/pdf-pieces.ts'
import { billOf } from './harness.ts'

/** A bill in pieces of any sizes, the last of which may be followed by an error. */
const cut = fc.tuple(
  fc.integer({ min: 5, max: 200 }),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
  fc.boolean(),
)

async function* inChunks(content: Buffer, sizes: readonly number[], fails = false) {
  let position = 0
  for (let i = 0; position < content.length; i++) {
    const end = position + (sizes[i % sizes.length] ?? 1)
    yield content.subarray(position, end)
    position = end
  }
  if (fails) throw new Error('changed')
}

async function collect(pieces: AsyncIterable<Buffer>) {
  const got: Buffer[] = []
  try {
    for await (const piece of pieces) got.push(piece)
  } catch (error) {
    return { bytes: Buffer.concat(got), pieces: got, error }
  }
  return { bytes: Buffer.concat(got), pieces: got, error: undefined }
}

describe('the pieces of a bill', () => {
  test('are the whole bill when its stream ends well, and else never all of it', async () => {
    await fc.assert(
      fc.asyncProperty(cut, async ([length, sizes, fails]) => {
        const bill = billOf(length)
        const { bytes, pieces, error } = await collect(piecesOfPdf(inChunks(bill, sizes, fails), length))
        expect(error !== undefined).toBe(fails)
        if (fails) expect(bytes.length).toBeLessThan(length)
        expect(bytes.equals(fails ? bill.subarray(0, bytes.length) : bill)).toBe(true)
        if (pieces.length > 1) expect(pieces[0]?.length).toBeGreaterThanOrEqual(5)
      }),
    )
  })

  test('are none of what does not begin like a PDF, however little of it comes at a time', async () => {
    const beginning = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
    const nearly = fc.constantFrom('', '%', '%PDF', '%pdf-1.7', '%PDE-1.7', ' %PDF-1.7', '\uFEFF%PDF-').map(Buffer.from)
    await fc.assert(
      fc.asyncProperty(fc.oneof(beginning, nearly), cut, async (content, [, sizes]) => {
        fc.pre(!content.toString('latin1').startsWith('%PDF-'))
        const { pieces, error } = await collect(piecesOfPdf(inChunks(content, sizes), content.length))
        expect(pieces).toEqual([])
        expect(error).toMatchObject({ code: 'bill-not-pdf' })
      }),
    )
  })
})
