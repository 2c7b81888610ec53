import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'

/** A store that is tested; see the interfaces of the stores for what the methods promise. */
export interface PayloadStoreUnderTest extends AsyncDisposable {
  readonly store: {
    put(reference: string, bytes: AsyncIterable<Buffer>): Promise<void>
    get(reference: string): Promise<AsyncIterable<Buffer>>
    remove(reference: string): Promise<void>
  }
  /** Everything that lies in the store, looked at around it: whole payloads, and leftovers of unfinished ones. */
  list(): Promise<string[]>
}

const mib = 1024 * 1024

/** What every store of payloads promises. */
export function describePayloadStore(name: string, setup: () => Promise<PayloadStoreUnderTest>): void {
  describe(name, () => {
    test.each([0, 1, 4 * mib, 8 * mib - 1, 8 * mib, 8 * mib + 1, 20 * mib])(
      'keeps %i bytes as they are',
      async (bytes) => {
        await using place = await setup()
        const payload = randomBytes(bytes)
        await place.store.put('ref-1', inChunks(payload))
        expect((await readAll(place, 'ref-1')).equals(payload)).toBe(true)
        expect(await place.list()).toHaveLength(1)
      },
    )

    test('keeps payloads apart that come at once', async () => {
      await using place = await setup()
      const payloads = Array.from({ length: 4 }, (_, index) => randomBytes(index * 3 * mib + 1))
      await Promise.all(payloads.map((payload, index) => place.store.put(`ref-${index}`, inChunks(payload))))
      const read = await Promise.all(payloads.map((_, index) => readAll(place, `ref-${index}`)))
      expect(read.map((bytes, index) => payloads[index]?.equals(bytes))).toEqual([true, true, true, true])
      expect(await place.list()).toHaveLength(4)
    })

    test.each([0, 1, 20 * mib])('leaves nothing of a payload that breaks off after %i bytes', async (bytes) => {
      await using place = await setup()
      const broken = new Error('the sender hung up')
      async function* breakingOff() {
        yield* inChunks(randomBytes(bytes))
        throw broken
      }
      await expect(place.store.put('ref-1', breakingOff())).rejects.toBe(broken)
      expect(await place.list()).toEqual([])
    })

    test('says that it does not have a payload', async () => {
      await using place = await setup()
      await expect(readAll(place, 'ref-1')).rejects.toMatchObject({
        code: 'payload-unreadable',
        retry: { kind: 'backoff' },
      })
    })

    test('removes a payload, also one that is not there', async () => {
      await using place = await setup()
      await place.store.put('ref-1', inChunks(randomBytes(9 * mib)))
      await place.store.put('ref-2', inChunks(Buffer.from('stays')))
      for (let turn = 0; turn < 2; turn += 1) await place.store.remove('ref-1')
      await expect(readAll(place, 'ref-1')).rejects.toMatchObject({ code: 'payload-unreadable' })
      expect(String(await readAll(place, 'ref-2'))).toBe('stays')
      expect(await place.list()).toHaveLength(1)
    })

    test('is none the worse for a reader that gives up', async () => {
      await using place = await setup()
      const payload = randomBytes(9 * mib)
      await place.store.put('ref-1', inChunks(payload))
      for (let turn = 0; turn < 5; turn += 1) {
        for await (const _ of await place.store.get('ref-1')) break
      }
      expect((await readAll(place, 'ref-1')).equals(payload)).toBe(true)
    })
  })
}

/** In pieces of a size that divides nothing. */
async function* inChunks(payload: Buffer): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < payload.length; at += 65_521) yield payload.subarray(at, at + 65_521)
}

async function readAll({ store }: PayloadStoreUnderTest, reference: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await store.get(reference)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
