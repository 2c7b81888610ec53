import { examples } from '@tieline/contracts/examples'
import type { FileFlowId } from '@tieline/contracts/flows'
import { startEvents } from '@tieline/events/service'
import { eventually } from '@tieline/testkit/eventually'
import { startPipeline } from '@tieline/testkit/pipeline'
import { describe, expect, inject, test } from 'vitest'
import {
  acksOf,
  keyOf,
  openPipeline,
  outcome,
  outcomeOf,
  reservation,
  reservationOf,
  rowsOf,
  segmentsOf,
  sendFile,
  subjectsAbout,
} from './files.ts'

/** Both flows, each with a file of ten segments of ten rows. */
const flows = [
  {
    flow: 'event-reservation',
    message: reservation,
    operation: 'reserveDevice',
    file: reservationOf,
    id: 'RSV-1315-1',
    subject: 'F6 Event device reservation',
    badRow: (n: number) => (n === 17 ? ',NEST' : undefined),
    badRowRule: 'Row 17: nicId: must not be empty',
  },
  {
    flow: 'event-outcome',
    message: outcome,
    operation: 'postEventOutcome',
    file: outcomeOf,
    id: 'OUT-1315-1',
    subject: 'F9 Event device outcome',
    badRow: (n: number) => (n === 17 ? '1315,NIC-17,NEST,ASLEEP' : undefined),
    badRowRule: 'Row 17: EventOutcome has no row for "ASLEEP"',
  },
] as const

/** Segments of ten rows, and the first technical failure ends the trying. */
const quickly = (flow: FileFlowId, more: object = {}) => ({
  sections: { flows: { [flow]: { segmentRows: 10, retryForS: 0 } } },
  ...more,
})

/** How the mail about a failure of the connection begins. */
const headlines = {
  'target-unauthorized': 'DACS_MAIN refuses our login',
  'target-reset': 'DACS_MAIN breaks off in the middle of calls',
  'target-timeout': 'DACS_MAIN does not answer in time',
} as const

describe.each(flows)('$flow', ({ flow, message, operation, file, id, subject, badRow, badRowRule }) => {
  const [short] = subject.split(' ')
  const key = keyOf(flow, message)

  describe('the health check of DACS', () => {
    test.each([503, 203, 400])(
      'answers %i: nothing is posted, FAILURE, an error e-mail; then DERMS repeats',
      async (status) => {
        await using pipeline = await openPipeline(quickly(flow))
        pipeline.dacs.failNext({ operation: 'healthCheck', status })
        const row = await sendFile(pipeline, flow, message, file(20))
        expect(acksOf(row)).toEqual([
          `FAILURE ${id}: DACS_MAIN: healthCheck answered ${status}. Simulated failure`,
          `SUCCESS ${id}: 20 records`,
        ])
        expect(segmentsOf(pipeline, operation)).toEqual([10, 10])
        const seen = await pipeline.until(key, 'succeeded')
        expect(seen).toMatchObject({ generation: 2 })
        const code = status === 400 ? 'target-refused' : 'target-error'
        expect(await subjectsAbout(pipeline, id, 2)).toEqual(
          [
            `${status === 503 ? `DACS_MAIN is down: ${short}` : `${subject}:`} ${code} ${id}`,
            `${subject}: completed ${id}`,
          ].sort(),
        )
      },
    )

    test('answers 203, which the installation takes for healthy: the file goes on', async () => {
      await using pipeline = await openPipeline({ dacs: { acceptDegradedHealth: true } })
      pipeline.dacs.setHealth(203)
      expect(acksOf(await sendFile(pipeline, flow, message, file(20)))).toEqual([`SUCCESS ${id}: 20 records`])
    })
  })

  describe('a file that cannot be read: nothing is posted, FAILURE, both e-mails', () => {
    const header = file(1).split('\n')[0]
    test.each([
      ['empty', '', 'The file is empty'],
      ['a header only', `${header}\n`, 'The file has a header but no rows'],
      ['without a column', 'headEndSystemId,outcome\nNEST,SUCCESS\n', 'The header lacks nicId'],
      ['with a ragged row in its last segment', `${file(25)}NIC-26\n`, /^Row 26 has 1 fields, the header [24]$/],
      [
        'with bytes that are not UTF-8',
        Buffer.concat([Buffer.from(file(12)), Buffer.from([0xff, 0x0a])]),
        'Row 13 is not UTF-8',
      ],
      [
        'with a quote that is never closed',
        `${file(12)}"NIC-13,NEST\n`,
        'Row 13 has a quote that is not closed or not alone',
      ],
    ])('%s', async (_what, content, why) => {
      await using pipeline = await openPipeline(quickly(flow))
      const row = await pipeline.derms.sendFile(flow, message, { name: 'devices.csv', content })
      const seen = await pipeline.until(key, 'dead')
      expect(seen).toMatchObject({ outcome: 'FAILURE', code: 'file-unreadable', effects: [], attempts: 1 })
      await eventually(() => row.acks.length > 0)
      expect(row.acks[0]).toMatchObject({ ackType: 'FAILURE' })
      const value = row.acks[0]?.responses.response[0]?.value
      if (typeof why === 'string') expect(value).toBe(why)
      else expect(value).toMatch(why)
      // Asked before the file is read.
      expect(pipeline.dacs.received.at(-1)).toMatchObject({ operation: 'healthCheck', answered: 200 })
      expect((await subjectsAbout(pipeline, id, 2)).slice(0, 2)).toEqual([
        `${subject}: file-unreadable ${id}`,
        `${subject}: file-unreadable ${id}`,
      ])
    })
  })

  test('a row that breaks its contract or a lookup is left out: the others are posted, ERROR names it, a dead letter, both e-mails', async () => {
    await using pipeline = await openPipeline()
    const row = await sendFile(pipeline, flow, message, file(1_000, badRow))
    expect(row).toMatchObject({ status: 'ERROR', numRetries: 0 })
    expect(acksOf(row)).toEqual([`ERROR ${id}: 1000 records: 999 confirmed, 1 refused or left out. ${badRowRule}`])
    expect(segmentsOf(pipeline, operation).reduce((sum, rows) => sum + rows, 0)).toBe(999)
    const seen = await pipeline.until(key, 'dead')
    expect(seen).toMatchObject({ outcome: 'ERROR', code: 'rows-left-out' })
    expect(rowsOf(seen)).toEqual({ read: 1_000, confirmed: 999, refused: 1, unknown: 0, notSent: 0 })
    expect(await subjectsAbout(pipeline, id, 2)).toEqual([
      `${subject}: rows-left-out ${id}`,
      `${subject}: rows-left-out ${id}`,
    ])
  })

  describe('one segment of ten', () => {
    const containing = '"NIC-45"'
    const nine = { confirmed: 90, read: 100 }

    test('is refused: the others go on, then FAILURE at once, both e-mails; the repeat sends it alone', async () => {
      await using pipeline = await openPipeline(quickly(flow))
      pipeline.dacs.failNext({ operation, status: 400, containing })
      const row = await sendFile(pipeline, flow, message, file(100))
      expect(acksOf(row)).toEqual([
        `FAILURE ${id}: 100 records: 90 confirmed, 10 refused or left out. DACS_MAIN: ${operation} answered 400. Simulated failure`,
        `SUCCESS ${id}: 100 records`,
      ])
      expect(segmentsOf(pipeline, operation)).toEqual(Array(11).fill(10))
      const seen = await pipeline.until(key, 'succeeded')
      expect(seen.timeline.filter(({ what }) => what === 'rows')).toMatchObject([
        { ...nine, refused: 10, unknown: 0, notSent: 0 },
        { read: 100, confirmed: 100 },
      ])
      expect(await subjectsAbout(pipeline, id, 3)).toEqual(
        [`${subject}: completed ${id}`, `${subject}: target-refused ${id}`, `${subject}: target-refused ${id}`].sort(),
      )
    })

    test.each([
      [
        'answers 401',
        'target-unauthorized',
        'notSent',
        (p: Pipe) => p.dacs.failNext({ operation, status: 401, containing }),
      ],
      ['answers 500', 'target-error', 'unknown', (p: Pipe) => p.dacs.failNext({ operation, status: 500, containing })],
      [
        'is applied and its answer lost',
        'target-reset',
        'unknown',
        (p: Pipe) => p.dacs.applyThenDrop({ operation, containing }),
      ],
      ['is cut off', 'target-reset', 'unknown', (p: Pipe) => p.dacs.dropBefore({ operation, containing })],
      [
        'takes too long',
        'target-timeout',
        'unknown',
        (p: Pipe) => p.dacs.stallNext({ operation, containing, ms: 5_000 }),
      ],
    ] as const)(
      '%s: the others go on; FAILURE when trying ends; the repeat sends what is not confirmed',
      async (_, code, count, fail) => {
        await using pipeline = await openPipeline({
          ...quickly(flow),
          connection: { timeoutMs: 1_000, concurrency: 1 },
          // Over before DERMS sends again, 100 ms after it has heard of the failure.
          tuning: { pauseMs: 90 },
        })
        fail(pipeline)
        const row = await sendFile(pipeline, flow, message, file(100))
        expect(row).toMatchObject({ status: 'SUCCESS', acks: [{ ackType: 'FAILURE' }, { ackType: 'SUCCESS' }] })
        const seen = await pipeline.until(key, 'succeeded')
        const [first, second] = seen.timeline.filter(({ what }) => what === 'rows')
        // After a 401 the connection pauses, so that the segments behind it are not sent either.
        if (code === 'target-unauthorized') expect(first).toMatchObject({ read: 100, confirmed: 40, notSent: 60 })
        else expect(first).toMatchObject({ ...nine, [count]: 10 })
        expect(second).toMatchObject({ read: 100, confirmed: 100 })
        const failed = `${code === 'target-error' ? `${subject}:` : `${headlines[code]}: ${short}`} ${code} ${id}`
        expect(await subjectsAbout(pipeline, id, 3)).toEqual(
          [`${subject}: completed ${id}`, failed, `${subject}: ${code} ${id}`].sort(),
        )
        expect(segmentsOf(pipeline, operation)).toHaveLength(11)
      },
    )
  })

  test('DACS is down for a while: the message goes on trying by itself, and sends each segment until it is confirmed', async () => {
    await using pipeline = await openPipeline({ sections: { flows: { [flow]: { segmentRows: 10 } } } })
    pipeline.dacs.failNext({ operation, status: 503, times: 3 })
    const row = await sendFile(pipeline, flow, message, file(50))
    expect(acksOf(row)).toEqual([`SUCCESS ${id}: 50 records`])
    const seen = await pipeline.until(key, 'succeeded')
    expect(seen).toMatchObject({ generation: 1, attempts: 2 })
    expect(segmentsOf(pipeline, operation)).toHaveLength(8)
    expect(seen.effects.map(({ state, repeats }) => `${state} ${repeats}`).toSorted()).toEqual([
      'confirmed 0',
      'confirmed 0',
      'confirmed 1',
      'confirmed 1',
      'confirmed 1',
    ])
  })
})

type Pipe = Awaited<ReturnType<typeof openPipeline>>

test('one segment of five fails for good: FAILURE; the repeat of DERMS sends the missing one alone, and is acknowledged SUCCESS', async () => {
  await using pipeline = await openPipeline({ sections: { flows: { 'event-outcome': { retryForS: 0 } } } })
  pipeline.dacs.failNext({ operation: 'postEventOutcome', status: 500, containing: '"NIC-777"' })
  const row = await sendFile(pipeline, 'event-outcome', outcome, outcomeOf(1_000))
  expect(row.acks.map(({ ackType }) => ackType)).toEqual(['FAILURE', 'SUCCESS'])
  const times = Map.groupBy(pipeline.dacs.participations.values(), ({ reported }) => reported)
  expect([...times.keys()]).toEqual([1])
  expect(segmentsOf(pipeline, 'postEventOutcome')).toEqual(Array(6).fill(200))
  expect(pipeline.dacs.received.filter(({ applied }) => applied)).toHaveLength(6)
})

test('a stage whose creation is still being tried is waited for', async () => {
  await using pipeline = await openPipeline()
  const stage = { ...examples['stage-status'], messageId: 'STG-77', stageId: '77' }
  pipeline.dacs.failNext({ operation: 'createProgramEvent', status: 503, times: 2 })
  const created = pipeline.post('stage-status', stage)
  await eventually(() => pipeline.dacs.received.some(({ answered }) => answered === 503))
  const message = { ...reservation, messageId: 'RSV-77', stageId: '77' }
  const row = await sendFile(pipeline, 'event-reservation', message, reservationOf(3))
  expect(acksOf(row)).toEqual(['SUCCESS RSV-77: 3 records'])
  expect((await created).status).toBe(200)
  const { timeline } = await pipeline.until('event-reservation.SITE1.RSV-77', 'succeeded')
  expect(timeline.map(({ what }) => what).slice(0, 3)).toEqual(['accepted', 'behind', 'attempt'])
})

test('a message whose JSON part cannot be read: DERMS is told FAILURE, and its repeat mends it', async () => {
  await using pipeline = await startPipeline({ services: ['notifier'], redisUrl: inject('redisUrl') })
  const { environment, installation } = pipeline.settings
  const flows = { ...installation.flows, 'event-outcome': { retryForS: 0 } }
  const start = () => startEvents({ environment, installation: { ...installation, flows } })
  {
    await using _events = await start()
    await pipeline.post('stage-status', examples['stage-status'])
  }
  const key = keyOf('event-outcome', outcome)
  const row = await pipeline.derms.sendFile('event-outcome', outcome, { name: 'devices.csv', content: outcomeOf(3) })
  await pipeline.until(key, 'accepted')
  await pipeline.redis.set(`${pipeline.journal.base}:p:${key}`, 'damaged')
  await using _events = await start()
  await pipeline.derms.whenDone(row.id)
  expect(acksOf(row)).toEqual([expect.stringMatching(/^FAILURE OUT-1315-1: ./), 'SUCCESS OUT-1315-1: 3 records'])
  expect(await pipeline.until(key, 'succeeded')).toMatchObject({ generation: 2 })
})
