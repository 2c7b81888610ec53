import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deviceIndex, rowsOfDevice } from '../src/device-index.ts'

async function* listsOf(devices: readonly string[]) {
  for (let at = 0; at < devices.length; at += 3)
    yield devices.slice(at, at + 3).map((nicId, i) => ({ number: at + i + 1, values: { nicId } }))
}

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const indexOf = async (devices: readonly string[]) =>
  Buffer.concat(await Array.fromAsync(deviceIndex(listsOf(devices))))

test('every row of a device is found, whatever its name, and no other', async () => {
  const device = fc.oneof(
    fc.constantFrom('N1', 'n1', 'N2', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(33), 'x'.repeat(100), ''),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(device, { maxLength: 12 }),
      device,
      fc.integer({ min: 1, max: 50 }),
      async (all, wanted, pieceBytes) => {
        const plain = (name: string) => name.trim().toLowerCase()
        const expected = [...all, wanted].flatMap((name, i) => (plain(name) === plain(wanted) ? [i + 1] : []))
        // A name of binary letters may end where another one is padded.
        fc.pre([...all, wanted].every((name) => !name.includes('\0')))
        const index = inPieces(await indexOf([...all, wanted]), pieceBytes)
        expect(await Array.fromAsync(rowsOfDevice(index, wanted))).toEqual(expected)
      },
    ),
    { numRuns: 100 },
  )
})

test('six bytes are kept of a row, and two indexes of the same devices have none in common', async () => {
  const devices = Array.from({ length: 1_000 }, (_, i) => `NIC-${i}`)
  const [one, other] = [await indexOf(devices), await indexOf(devices)]
  expect(one.length).toBe(32 + 6_000)
  expect(one.includes('NIC')).toBe(false)
  const tags = (index: Buffer) => devices.map((_, i) => index.toString('hex', 32 + i * 6, 38 + i * 6))
  expect(new Set([...tags(one), ...tags(other)]).size).toBe(2_000)
})
