import { createHash } from 'node:crypto'
import { examples } from '@tieline/contracts/examples'
import type { AttemptFile, Settlement } from '@tieline/journal/types'
import { TielineError } from '@tieline/runtime/error'
import { answer, failed, fakeAttempt, fakeDeps, refused } from '@tieline/testkit/fakes'
import { packRows } from '@tieline/worker-service/segments'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcomeFile } from '../src/mappings/event-outcome.ts'
import { createEventFileProcessor } from '../src/processors/event-file.ts'
import { tablesWith } from './tables.ts'

const tables = tablesWith()

function fileOf(content: Buffer): AttemptFile {
  async function* open() {
    for (let at = 0; at < content.length; at += 37) yield content.subarray(at, at + 37)
  }
  return { name: 'o.csv', bytes: content.length, sha256: createHash('sha256').update(content).digest('hex'), open }
}

/** What DACS does to the calls, in their order; then it is well. */
type Script = readonly ('ok' | 'failed' | 'refused')[]

/** Confirmed calls of a version before: places of the rows that they left out, by the id of the call. */
type Calls = Readonly<Record<string, string | undefined>>

/** Attempts at one file until it is settled; each generation of DERMS' repeats makes refused calls anew. */
async function run(content: Buffer, segmentRows: number, script: Script, before: Calls = {}) {
  const posted: string[][] = []
  const ends = script[Symbol.iterator]()
  const postEventOutcome = async (body: unknown) => {
    const end = ends.next().value ?? 'ok'
    if (end === 'failed') throw failed('target-unreachable')
    if (end === 'refused') throw refused()
    posted.push((body as { postOutcomeList: { nicId: string }[] }).postOutcomeList.map(({ nicId }) => nicId))
    return answer({})
  }
  const deps = fakeDeps({ dacs: { postEventOutcome, healthCheck: async () => answer({}), concurrency: 3 } })
  const flows = { ...deps.installation.flows, 'event-outcome': { segmentRows } }
  const processor = createEventFileProcessor(outcomeFile, { ...deps, installation: { ...deps.installation, flows } })
  const { attempt, effects } = fakeAttempt('event-outcome', examples['event-outcome'], {}, fileOf(content))
  for (const [id, left] of Object.entries(before)) effects.set(id, { state: 'confirmed', result: { left } })
  for (let attempts = 1; ; attempts++) {
    try {
      return { posted, settlement: await processor.process(attempt, tables), attempts }
    } catch (error) {
      if (!(error instanceof TielineError)) throw error
      const settlement = processor.giveUp(attempt, error, tables)
      if (error.retry.kind === 'never' && error.code !== 'target-refused') return { posted, settlement, attempts }
      for (const [id, { state }] of effects) if (state === 'refused') effects.delete(id)
    }
  }
}

const ackOf = ({ acknowledgment }: Settlement) => acknowledgment?.ack.ackType

describe('whatever is in a file, and whatever DACS does', () => {
  const goodRow = { good: true, tail: '1315,NEST,SUCCESS' }
  const badRows = ['1315,NEST,ASLEEP', '1315,,SUCCESS', ',NEST,SUCCESS', '1315,NEST,'].map((tail) => ({
    good: false,
    tail,
  }))
  const row = fc.oneof(
    { weight: 4, arbitrary: fc.constant(goodRow) },
    { weight: 1, arbitrary: fc.constantFrom(...badRows) },
  )
  const end = fc.constantFrom('ok', 'failed', 'refused') as fc.Arbitrary<Script[number]>

  test('every good row is confirmed exactly once, no other ever, and DERMS is told SUCCESS only when there is no other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(end, { maxLength: 6 }),
        async (rows, segmentRows, script) => {
          const content = `nicId,stageId,headEndSystemId,outcome\n${rows.map(({ tail }, i) => `N${i},${tail}\n`).join('')}`
          const { posted, settlement } = await run(Buffer.from(content), segmentRows, script)
          const good = rows.flatMap(({ good }, i) => (good ? [`N${i}`] : []))
          expect(posted.flat().sort()).toEqual(good.sort())
          expect(posted.every((segment) => segment.length <= segmentRows)).toBe(true)
          const bad = rows.length - good.length
          expect(ackOf(settlement)).toBe(bad === 0 ? 'SUCCESS' : 'ERROR')
          expect(settlement.rows).toEqual({
            read: rows.length,
            confirmed: good.length,
            refused: bad,
            unknown: 0,
            notSent: 0,
          })
          expect(settlement.faults?.map(({ row }) => row) ?? []).toEqual(
            rows.flatMap(({ good }, i) => (good ? [] : [i + 1])),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  test('noise never crashes the processor, and no row of it is posted that was not in the file', async () => {
    const header = 'nicId,stageId,headEndSystemId,outcome\n'
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'N', '1', 'SUCCESS', 'NEST'), maxLength: 80 })
        .map((text) => Buffer.from(text)),
    )
    await fc.assert(
      fc.asyncProperty(noise, fc.boolean(), fc.integer({ min: 1, max: 5 }), async (bytes, withHeader, segmentRows) => {
        const content = Buffer.concat([Buffer.from(withHeader ? header : ''), bytes])
        const { posted, settlement } = await run(content, segmentRows, [])
        const text = content.toString('utf8')
        for (const nicId of posted.flat()) expect(text.replaceAll('""', '"')).toContain(nicId.replaceAll('""', '"'))
        expect(['SUCCESS', 'ERROR', 'FAILURE']).toContain(ackOf(settlement))
        if (settlement.code === 'file-unreadable') expect(posted).toEqual([])
        else expect(settlement.rows?.confirmed).toBe(posted.flat().length)
      }),
      { numRuns: 500 },
    )
  })
})

test('calls that were numbered with empty rows keep their rows: nothing confirmed is sent again, and nothing is taken for it', async () => {
  const rows = [
    'N1,1315,NEST,SUCCESS',
    ',,,',
    'N3,1315,NEST,SUCCESS',
    'N4,1315,NEST,SUCCESS',
    ',,,',
    '',
    'N6,1315,NEST,SUCCESS',
  ]
  const content = Buffer.from(['nicId,stageId,headEndSystemId,outcome', ...rows].join('\n'))
  const before = { 'rows.1-3': packRows([1]) }
  const resumed = await run(content, 3, [], before)
  expect(resumed.posted).toEqual([['N4', 'N6']])
  expect(resumed.settlement).toMatchObject({
    rows: { read: 6, confirmed: 4, refused: 2 },
    faults: [{ row: 2 }, { row: 5 }],
  })
  const fresh = await run(content, 3, [])
  expect(fresh.posted).toEqual([['N1', 'N3', 'N4'], ['N6']])
  expect(fresh.settlement).toMatchObject({ outcome: 'SUCCESS', rows: { read: 4, confirmed: 4 } })
})
