import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { startEvents } from '@tieline/events/service'
import { readAudit } from '@tieline/journal/operations'
import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { describe, expect, inject, test } from 'vitest'
import {
  acksOf,
  keyOf,
  openPipeline,
  outcome,
  outcomeOf,
  reservation,
  reservationCsv,
  reservationOf,
  segmentsOf,
  sendFile,
  subjectsAbout,
} from './files.ts'

const key = keyOf('event-reservation', reservation)
const csv = { name: 'devices.csv', content: reservationCsv }

/** Stored payloads: references of small ones, and names of files. */
async function storedPayloads({ redis, journal, settings }: Pipeline): Promise<string[]> {
  const small = await keysMatching(redis, `${journal.base}:b:*`)
  const files = await readdir(join(settings.environment.dataDir, 'payloads'), { recursive: true }).catch(() => [])
  return [...small, ...files.filter((name) => name.includes('s-'))]
}

/** A message keeps its file and what the devices of the file are found by. */
const fileAndIndex = 2

describe('an acknowledgment', () => {
  test('that DERMS does not take for a while is tried again alone: the work is not repeated', async () => {
    await using pipeline = await openPipeline()
    pipeline.derms.failNext({ operation: 'eventReservationAck', status: 503 })
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2 records'])
    expect(pipeline.derms.count('eventReservationAck')).toBe(2)
    expect(segmentsOf(pipeline, 'reserveDevice')).toEqual([2])
    const { acknowledgment = '', timeline } = await pipeline.until(key, 'succeeded')
    const told = await pipeline.until(acknowledgment, 'succeeded')
    expect(told).toMatchObject({
      acknowledges: key,
      attempts: 2,
      effects: [{ id: 'acknowledge', tries: 2, repeats: 1 }],
    })
    expect(timeline.map(({ what }) => what)).toContain('acknowledging')
    await eventually(async () =>
      (await pipeline.until(key, 'succeeded')).timeline.some(({ what }) => what === 'acknowledged'),
    )
  })

  test('that DERMS never takes becomes a dead letter of its own, which can be resubmitted alone', async () => {
    await using pipeline = await openPipeline({ sections: { flows: { acknowledgment: { retryForS: 0 } } } })
    pipeline.derms.failNext({ operation: 'eventReservationAck', status: 500 })
    const row = await pipeline.derms.sendFile('event-reservation', reservation, csv)
    const { acknowledgment = '' } = await pipeline.until(key, 'succeeded')
    expect(await pipeline.until(acknowledgment, 'dead')).toMatchObject({ code: 'ack-undelivered' })
    const id = acknowledgment.split('.').at(-1) ?? ''
    expect(await subjectsAbout(pipeline, id, 1)).toEqual([`ACK Acknowledgment of an event file: ack-undelivered ${id}`])
    expect((await pipeline.tieline('dead', 'list')).out).toContain(acknowledgment)

    const done = await pipeline.tieline('dead', 'resubmit', acknowledgment, '--reason', 'DERMS is back', '--who', 'ana')
    expect(done).toMatchObject({ code: 0 })
    await pipeline.derms.whenDone(row.id)
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2 records'])
    expect(segmentsOf(pipeline, 'reserveDevice')).toEqual([2])
  })

  test('of a generation that its sender has given up for the next is withdrawn: all that DERMS hears agrees', async () => {
    await using pipeline = await openPipeline({ sections: { flows: { 'event-reservation': { retryForS: 0 } } } })
    pipeline.dacs.failNext({ operation: 'reserveDevice', status: 500 })
    pipeline.derms.dropBefore({ operation: 'eventReservationAck' })
    await pipeline.postFile('event-reservation', reservation, csv)
    const first = await pipeline.until(key, 'dead')
    await pipeline.until(first.acknowledgment ?? '', 'retrying')

    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2 records'])
    expect(await pipeline.until(first.acknowledgment ?? '', 'superseded')).toMatchObject({ attempts: 1 })
    expect(await pipeline.until(key, 'succeeded')).toMatchObject({ generation: 2 })
    expect(pipeline.derms.received.filter(({ answered }) => answered === 200)).toHaveLength(1)
  })
})

describe('the same file again', () => {
  test('after its success is acknowledged again, without a call of DACS', async () => {
    await using pipeline = await openPipeline()
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    await pipeline.derms.resend(row.id)
    await eventually(() => row.acks.length === 2)
    expect(acksOf(row)).toEqual(Array(2).fill('SUCCESS RSV-1315-1: 2 records'))
    expect(row.acks[1]).toEqual(row.acks[0])
    expect(segmentsOf(pipeline, 'reserveDevice')).toEqual([2])
    expect(await pipeline.until(key, 'succeeded')).toMatchObject({ generation: 1, attempts: 1 })
    expect(await storedPayloads(pipeline)).toHaveLength(fileAndIndex)
  })

  test('while it is being worked on joins it: one run, one stored file, one acknowledgment', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ operation: 'reserveDevice', ms: 500 })
    await pipeline.postFile('event-reservation', reservation, csv)
    await eventually(() => pipeline.dacs.count('reserveDevice') === 1)
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 2 records'])
    const { timeline, generation } = await pipeline.until(key, 'succeeded')
    expect(timeline.map(({ what }) => what)).toContain('attached')
    expect(generation).toBe(1)
    expect(segmentsOf(pipeline, 'reserveDevice')).toEqual([2])
    expect(await storedPayloads(pipeline)).toHaveLength(fileAndIndex)
  })

  test('with another file under the same id is worked on anew, and flagged', async () => {
    await using pipeline = await openPipeline()
    await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
    const row = await sendFile(pipeline, 'event-reservation', reservation, reservationOf(3))
    expect(acksOf(row)).toEqual(['SUCCESS RSV-1315-1: 3 records'])
    expect(await pipeline.until(key, 'succeeded')).toMatchObject({ generation: 2, changed: true })
    expect(segmentsOf(pipeline, 'reserveDevice')).toEqual([2, 3])
    expect(await storedPayloads(pipeline)).toHaveLength(fileAndIndex)
  })
})

describe('an operator', () => {
  const late = (n: number) => (n === 450 ? '1315,NIC-450,NEST,ASLEEP' : undefined)
  const outcomeKey = keyOf('event-outcome', outcome)

  test('finds a row by number or device, and what became of it', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.failNext({ operation: 'postEventOutcome', status: 500, containing: '"NIC-417"' })
    await sendFile(pipeline, 'event-outcome', outcome, outcomeOf(1_000, late))
    const { code, out } = await pipeline.tieline('messages', 'rows', outcomeKey, '--row', '417')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^row +417\nsegment +rows 401 to 600\nstate +confirmed: DACS has it\ncall +postEventOutcome at DACS_MAIN\nattempts +2, 1 of them after an unknown outcome\nanswer of DACS +HTTP 200\n/,
    )
    const device = await pipeline.tieline('messages', 'rows', outcomeKey, '--device', 'NIC-450')
    expect(device.out).toMatch(
      /^row +450\nsegment +rows 401 to 600\nstate +left out of the call\nreason +EventOutcome has no row for "ASLEEP"\n$/,
    )
    const all = await pipeline.tieline('messages', 'rows', outcomeKey)
    expect(all.out).toMatch(/rows +1000 read: 999 confirmed, 1 refused or left out, 0 of unknown outcome, 0 not sent/)
    expect(all.out).toMatch(/450 +EventOutcome has no row for "ASLEEP"/)
    const shown = await pipeline.tieline('messages', 'show', outcomeKey)
    expect(shown.out).toMatch(/segments +5 confirmed, 1 repeats of calls of unknown outcome/)
    for (const [args, err] of [
      [['--row', '1001'], 'The file has no such row.'],
      [['--row', '0'], '--row takes a number from 1'],
      [['--row', '1', '--device', 'X'], 'Say either --row or --device'],
    ] as const) {
      const wrong = await pipeline.tieline('messages', 'rows', outcomeKey, ...args)
      expect(wrong.code).not.toBe(0)
      expect(wrong.err).toContain(err)
    }
    const without = await pipeline.tieline(
      'messages',
      'rows',
      `stage-status.SITE1.${examples['stage-status'].messageId}`,
    )
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining('has no file') })
  })

  test('mends a lookup and resubmits the dead file: only the row that was left out goes out; the audit says who and why', async () => {
    await using pipeline = await openPipeline()
    const row = await sendFile(pipeline, 'event-outcome', outcome, outcomeOf(1_000, late))
    expect(acksOf(row)).toEqual([
      'ERROR OUT-1315-1: 1000 records: 999 confirmed, 1 refused or left out. Row 450: EventOutcome has no row for "ASLEEP"',
    ])
    await pipeline.tieline('lookups', 'set', 'EventOutcome', 'ASLEEP', 'D1ND', '--reason', 'new word of DERMS')
    const resubmit = ['dead', 'resubmit', outcomeKey, '--reason', 'lookup mended', '--who', 'ana']
    // The worker sees a changed lookup within two seconds.
    await eventually(async () => {
      if ((await pipeline.until(outcomeKey, 'dead', 'succeeded')).state === 'dead') await pipeline.tieline(...resubmit)
      return (await pipeline.until(outcomeKey, 'dead', 'succeeded')).state === 'succeeded'
    })
    expect(segmentsOf(pipeline, 'postEventOutcome')).toEqual([
      ...segmentsOf(pipeline, 'postEventOutcome').slice(0, 5),
      1,
    ])
    expect(pipeline.dacs.received.at(-1)?.body).toEqual({
      postOutcomeList: [{ eventExternalIdentifier: '1315', nicId: 'NIC-450', headEndSystem: 'NEST', outcome: 'D1ND' }],
    })
    await eventually(() => row.acks.length >= 2)
    expect(acksOf(row).at(-1)).toBe('SUCCESS OUT-1315-1: 1000 records')
    expect((await readAudit(pipeline.journal))[0]).toMatchObject({
      who: 'ana',
      what: 'resubmit',
      key: outcomeKey,
      why: 'lookup mended',
    })
    expect((await pipeline.tieline('messages', 'rows', outcomeKey, '--row', '450')).out).toContain(
      'confirmed: DACS has it',
    )
  })

  test('resubmits a dead file: only segments that are not confirmed go out', async () => {
    await using pipeline = await openPipeline({ sections: { flows: { 'event-outcome': { retryForS: 0 } } } })
    pipeline.dacs.failNext({ operation: 'postEventOutcome', status: 500, containing: '"NIC-417"' })
    await pipeline.postFile('event-outcome', outcome, { name: 'devices.csv', content: outcomeOf(1_000) })
    await pipeline.until(outcomeKey, 'dead')
    expect(await pipeline.tieline('dead', 'resubmit', outcomeKey, '--reason', 'DACS is back')).toMatchObject({
      code: 0,
    })
    await pipeline.until(outcomeKey, 'succeeded')
    expect(segmentsOf(pipeline, 'postEventOutcome')).toEqual(Array(6).fill(200))
  })
  test('changes segmentRows before a file is done: nothing that is confirmed goes out again, unless it is run from the start', async () => {
    await using pipeline = await startPipeline({ services: ['notifier'], redisUrl: inject('redisUrl') })
    const { environment, installation } = pipeline.settings
    const startWith = (segmentRows: number) => {
      const flows = { ...installation.flows, 'event-outcome': { segmentRows, retryForS: 0 } }
      return startEvents({ environment, installation: { ...installation, flows } })
    }
    const resubmit = ['dead', 'resubmit', outcomeKey, '--reason', 'DACS is back']
    {
      await using _events = await startWith(10)
      await pipeline.post('stage-status', examples['stage-status'])
      pipeline.dacs.failNext({ operation: 'postEventOutcome', status: 500, containing: '"NIC-25"' })
      await pipeline.postFile('event-outcome', outcome, { name: 'devices.csv', content: outcomeOf(30) })
      await pipeline.until(outcomeKey, 'dead')
    }
    expect(await pipeline.tieline(...resubmit)).toMatchObject({ code: 0 })
    const row = await pipeline.tieline('messages', 'rows', outcomeKey, '--row', '15')
    expect(row.out).toMatch(/^row +15\nsegment +rows 11 to 20\nstate +confirmed: DACS has it\n/)

    await using _events = await startWith(7)
    await pipeline.until(outcomeKey, 'succeeded')
    expect(segmentsOf(pipeline, 'postEventOutcome')).toEqual([10, 10, 10, 10])
    await pipeline.tieline('messages', 'rerun', outcomeKey, '--from-start', '--reason', 'DACS lost it')
    await eventually(() => segmentsOf(pipeline, 'postEventOutcome').length === 9)
    expect(segmentsOf(pipeline, 'postEventOutcome').slice(4).toSorted()).toEqual([2, 7, 7, 7, 7])
  })
})
