import { examples } from '@tieline/contracts/examples'
import { describe, expect, test } from 'vitest'
import {
  acksOf,
  keyOf,
  openPipeline,
  reservation,
  reservationCsv,
  reservationOf,
  rowsOf,
  segmentsOf,
  sendFile,
  subjectsAbout,
} from './files.ts'

describe('success', () => {
  test('a small file is one call, and DERMS is told SUCCESS by call-back', async () => {
    await using pipeline = await openPipeline()
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    expect(row).toMatchObject({ status: 'SUCCESS', numRetries: 0, answers: [{ status: 202 }] })
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2 records'])
    expect(pipeline.dacs.received.map(({ operation }) => operation)).toEqual([
      'createProgramEvent',
      'healthCheck',
      'reserveDevice',
    ])
    expect(pipeline.dacs.received.at(-1)?.body).toEqual(examples['event-reservation.to-dacs'])
    const seen = await pipeline.until(keyOf('event-reservation', reservation), 'succeeded')
    expect(rowsOf(seen)).toEqual({ read: 2, confirmed: 2, refused: 0, unknown: 0, notSent: 0 })
    expect(await subjectsAbout(pipeline, 'RSV-1315-1', 1)).toEqual([
      'F6 Event device reservation: completed RSV-1315-1',
    ])
  })

  test('a large file goes in segments of 1000 rows', async () => {
    await using pipeline = await openPipeline()
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationOf(2_300))
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2300 records'])
    expect(segmentsOf(pipeline, 'reserveDevice').toSorted()).toEqual([1_000, 1_000, 300])
    expect(pipeline.dacs.participations.size).toBe(2_300)
  })
})
