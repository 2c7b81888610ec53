import { readdir } from 'node:fs/promises'
import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, test } from 'vitest'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { sweepOnce, trimExpired } from '../src/kernel/sweeper.ts'
import { showMessage } from '../src/operations.ts'
import type { KeptFile } from '../src/types.ts'
import { dead, field, incoming, openHarness, refused, succeeded, targetThat } from './harness.ts'

const hour = 3_600_000
const small = Buffer.from('nicId,headEndSystemId\nNIC-1,NEST\n')
const large = Buffer.alloc(5 * 2 ** 20, 'x')

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

type Harness = Awaited<ReturnType<typeof openHarness>>

/** Everything that the payload stores hold. */
async function stored({ journal, directory }: Harness): Promise<string[]> {
  const inRedis = await keysMatching(journal.redis, `${journal.base}:b:*`)
  const onDisk = await readdir(directory, { recursive: true })
  return [...inRedis.map((key) => key.split(':').at(-1) ?? ''), ...onDisk.flatMap((path) => path.split('/')[1] ?? [])]
}

const keepFile = async ({ journal }: Harness, bytes = small): Promise<KeptFile> => ({
  ...(await journal.payloads.keep(once(bytes))),
  name: 'devices.csv',
})

const withFile = (id: string, file: KeptFile, more: object = {}) =>
  incoming('event-outcome', id, { file, hash: file.sha256, ...more })

describe('a file', () => {
  test('small ones are kept in Redis, large ones in the payload store; both come back as they went in', async () => {
    await using harness = await openHarness()
    for (const bytes of [Buffer.alloc(0), small, large]) {
      const kept = await harness.journal.payloads.keep(once(bytes))
      expect(kept.bytes).toBe(bytes.length)
      expect(Buffer.concat(await Array.fromAsync(harness.journal.payloads.open(kept.reference))).equals(bytes)).toBe(
        true,
      )
      expect(kept.reference.startsWith('r-')).toBe(bytes !== large)
    }
    expect((await stored(harness)).map((name) => name.slice(0, 2)).sort()).toEqual(['r-', 'r-', 's-'])
  })

  test('leaves nothing behind when its sender breaks off, however large it was', async () => {
    await using harness = await openHarness()
    for (const bytes of [small, large]) {
      async function* breaking() {
        yield* once(bytes)
        throw new Error('broke off')
      }
      await expect(harness.journal.payloads.keep(breaking())).rejects.toThrow('broke off')
    }
    expect(await stored(harness)).toEqual([])
    expect(await harness.redis.exists(`${harness.journal.base}:pending`)).toBe(0)
  })

  test('reaches its processor whole, whatever the attempt', async () => {
    await using harness = await openHarness()
    const message = withFile('A', await keepFile(harness, large))
    await accept(harness.journal, message)
    const read: number[] = []
    await harness.work([
      {
        flow: 'event-outcome',
        async process({ file, number }) {
          let bytes = 0
          for await (const chunk of file?.open() ?? []) bytes += chunk.length
          read.push(bytes)
          expect(file).toMatchObject({ name: 'devices.csv', bytes: large.length, sha256: message.hash })
          if (number === 1) throw new Error('once more')
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    await expect.poll(() => field(harness.journal, message.key, 'state'), { timeout: 20_000 }).toBe('succeeded')
    expect(read).toEqual([large.length, large.length])
  })
})

describe('a stored file that no record holds', () => {
  test('is removed after an hour: its process died before the record was made', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    await keepFile(harness)
    await keepFile(harness, large)
    await sweepOnce(harness.journal)
    expect(await stored(harness)).toHaveLength(2)
    now += hour + 1
    await sweepOnce(harness.journal)
    expect(await stored(harness)).toEqual([])
  })

  test('that is still coming is not taken for left behind, however long it takes', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    async function* slow() {
      yield* once(large)
      for (let n = 0; n < 3; n++) {
        now += 0.9 * hour
        await sweepOnce(harness.journal)
        yield Buffer.alloc(70_000)
      }
    }
    const { reference, bytes } = await harness.journal.payloads.keep(slow())
    const read = await Array.fromAsync(harness.journal.payloads.open(reference))
    expect(Buffer.concat(read).length).toBe(bytes)
  })

  test('cannot become part of a message once its removal began', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const file = await keepFile(harness)
    now += hour + 1
    await sweepOnce(harness.journal)
    await expect(accept(harness.journal, withFile('A', file))).rejects.toThrow('is gone')
    expect(await showMessage(harness.journal, 'event-outcome.SITE1.A')).toBeUndefined()
  })
})

describe('a payload that the store refuses to remove', () => {
  /** The journal before a store that refuses to remove these. */
  const refusing = ({ journal }: Harness, ...references: string[]): Journal => ({
    ...journal,
    payloads: {
      ...journal.payloads,
      remove: async (reference) => {
        if (references.includes(reference)) throw new Error('not now')
        await journal.payloads.remove(reference)
      },
    },
  })

  test('keeps no other payload and no other chore of a sweep waiting, and goes when the store takes it', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const files = [await keepFile(harness), await keepFile(harness, large), await keepFile(harness)]
    const [first = '', , last = ''] = files.map(({ reference }) => reference).sort()
    now += hour + 1
    const windows = `${harness.journal.base}:windows`
    await harness.redis.zadd(windows, now, 'over')
    await sweepOnce(refusing(harness, first, last))
    expect((await stored(harness)).sort()).toEqual([first, last].sort())
    expect(await harness.redis.exists(windows)).toBe(0)
    await sweepOnce(harness.journal)
    expect(await stored(harness)).toEqual([])
  })

  test('keeps no message from being forgotten, and is removed later', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const file = await keepFile(harness, large)
    const messages = [withFile('A', file), incoming('stage-status', 'B')]
    for (const message of messages) await accept(journal, message)
    await harness.work([
      { flow: 'event-outcome', process: async () => succeeded, giveUp: () => dead },
      { flow: 'stage-status', process: async () => refused, giveUp: () => dead },
    ])
    await eventually(async () => (await field(journal, messages[0]?.key ?? '', 'state')) === 'succeeded')
    await eventually(async () => (await field(journal, messages[1]?.key ?? '', 'state')) === 'refused')
    now += 33 * 24 * hour
    await trimExpired(refusing(harness, file.reference))
    for (const { key } of messages) expect(await showMessage(journal, key)).toBeUndefined()
    expect(await stored(harness)).toEqual([file.reference])
    now += hour + 1
    await sweepOnce(journal)
    expect(await stored(harness)).toEqual([])
  })
})

describe('the file of a message', () => {
  test('stays as long as its message may run, and is never taken for left behind', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const message = withFile('A', await keepFile(harness))
    await accept(harness.journal, message)
    now += 40 * 24 * hour
    await sweepOnce(harness.journal)
    await trimExpired(harness.journal)
    expect(await stored(harness)).toHaveLength(1)
  })

  test('goes when the message that succeeded has been kept long enough to be sent again', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const message = withFile('A', await keepFile(harness, large))
    await accept(harness.journal, message)
    await harness.work([{ flow: 'event-outcome', process: async () => succeeded, giveUp: () => dead }])
    await expect.poll(() => field(harness.journal, message.key, 'state'), { timeout: 20_000 }).toBe('succeeded')
    await trimExpired(harness.journal)
    expect(await stored(harness)).toHaveLength(1)
    now += 25 * hour
    await trimExpired(harness.journal)
    expect(await stored(harness)).toEqual([])
    expect(await showMessage(harness.journal, message.key)).toMatchObject({
      file: { kept: false, bytes: large.length },
    })
  })

  test('of a repeat is not kept twice; of a changed message it replaces the one before', async () => {
    await using harness = await openHarness()
    const first = withFile('A', await keepFile(harness))
    expect(await accept(harness.journal, first)).toMatchObject({ kind: 'new' })
    expect(await accept(harness.journal, withFile('A', await keepFile(harness)))).toMatchObject({ kind: 'attached' })
    expect(await stored(harness)).toEqual([first.file?.reference])
    const other = await keepFile(harness, large)
    expect(await accept(harness.journal, withFile('A', other))).toMatchObject({ kind: 'changed' })
    expect(await stored(harness)).toEqual([other.reference])
    expect(await harness.redis.exists(`${harness.journal.base}:pending`)).toBe(0)
  })
})

test('effects of a file take less than 100 bytes each, and none of them is on the time line', async () => {
  await using harness = await openHarness()
  const message = withFile('A', await keepFile(harness))
  await accept(harness.journal, message)
  await harness.work([
    {
      flow: 'event-outcome',
      async process(attempt) {
        for (let n = 0; n < 1_000; n++) {
          const target = targetThat(async () => ({ status: 200, body: {}, durationMs: 123 }))
          await attempt.call(`rows.${n}001-${n + 1}000`, target, 'postEventOutcome', {}, { quiet: true })
        }
        return succeeded
      },
      giveUp: () => dead,
    },
  ])
  await expect.poll(() => field(harness.journal, message.key, 'state'), { timeout: 20_000 }).toBe('succeeded')
  const effects = await harness.redis.hgetall(`${harness.journal.base}:e:${message.key}`)
  const bytes = Object.entries(effects).reduce((sum, [id, effect]) => sum + id.length + effect.length, 0)
  expect(bytes / Object.keys(effects).length).toBeLessThan(100)
  expect((await showMessage(harness.journal, message.key))?.timeline.map(({ what }) => what)).not.toContain('called')
})
