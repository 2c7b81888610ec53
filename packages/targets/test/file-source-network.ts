import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { FileReader } from '../src/file-source.ts'
import { failureOf, fileOf, type ReaderUnderTest, type Setup } from './file-source-suite.ts'

/** A place beyond a network. */
export interface RemoteUnderTest extends ReaderUnderTest {
  /** Cuts the connection after so many more bytes from there. */
  cutAfter(bytes: number): void
  openWithWrongCredentials(): Promise<FileReader>
  openWhereNothingListens(): Promise<FileReader>
}

const mib = 1024 * 1024

/** What places of files promise that are reached over a network. */
export function describeNetwork(name: string, setup: Setup<RemoteUnderTest>): void {
  describe(`${name}, over a network`, () => {
    test('fails a stream whose connection is lost, and then reads the whole file', async () => {
      await using place = await setup()
      const content = randomBytes(5 * mib)
      await place.put('file', content)
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      place.cutAfter(2 * mib)
      expect(await failureOf(buffer(await source.open(file)))).toMatchObject({
        name: 'CallError',
        code: 'target-reset',
        retry: { kind: 'backoff' },
        connection: source.connection,
      })
      expect((await buffer(await source.open(file))).equals(content)).toBe(true)
    })

    test('says that the credentials are wrong', async () => {
      await using place = await setup()
      await using source = await place.openWithWrongCredentials()
      const failure = await failureOf(source.find('file'))
      expect(failure).toMatchObject({ code: 'target-unauthorized', retry: { kind: 'backoff' }, outcome: 'failed' })
    })

    test('says that nothing listens', async () => {
      await using place = await setup()
      await using source = await place.openWhereNothingListens()
      const failure = await failureOf(source.find('file'))
      expect(failure).toMatchObject({ code: 'target-unreachable', retry: { kind: 'backoff' }, outcome: 'failed' })
      expect(failure.message).toContain('ECONNREFUSED')
    })
  })
}
