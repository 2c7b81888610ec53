import { enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { eventReservation, reservationRow } from '@tieline/contracts/messages/event-reservation'
import { stageStatus } from '@tieline/contracts/messages/stage-status'
import { msgAckParts } from '@tieline/contracts/msg-ack'
import type { ReadingSettings } from '@tieline/contracts/reading/reading'
import { createLogger } from '@tieline/runtime/logger'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { readEventRows } from '../src/event-rows.ts'
import { createMessageReaders, readMessage } from '../src/message-reader.ts'

const dayMs = 86_400_000

const settings: ReadingSettings = {
  reading: 'tolerant',
  unpublishedRules: 'warn',
  timezone: 'UTC',
  lengths: {},
  codes: {},
}

function start() {
  const register = new Registry()
  const logged: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void logged.push(JSON.parse(line)) }
  const logger = createLogger({ service: 'test', level: 'warn', destination })
  let nowMs = 0
  const openReader = createMessageReaders({ settings, register, logger, clock: () => nowMs })
  const notes: object[] = []
  const attempt = { flow: 'stage-status', number: 1, note: async (entry: object) => void notes.push(entry) } as const
  return {
    openReader,
    attempt,
    notes,
    logged,
    counts: async (name: string) =>
      (await register.getSingleMetric(name)?.get())?.values.map(({ labels, value }) => [
        ...Object.values(labels),
        value,
      ]),
    dayLater: () => {
      nowMs += dayMs
    },
  }
}

const stage = { stageId: '1', stageStatus: 'CANCELED' }

describe('what is let pass of a message', () => {
  test('stands on the time line by its paths, and is counted by flow, path and rule', async () => {
    const { openReader, attempt, notes, counts } = start()
    const secret = 'Reyes'.repeat(7)
    const given = { ...stage, eventId: 8812345, stageEndDateTime: '2026-07-01 18:00', eventType: secret }
    const message = await readMessage(openReader(attempt), stageStatus, given)
    expect(message).toEqual({ ...given, eventId: '8812345', stageEndDateTime: '2026-07-01T18:00:00Z' })
    expect(notes).toEqual([
      { what: 'bent', values: 2, paths: 'eventId, stageEndDateTime' },
      { what: 'unpublished', values: 1, paths: 'eventType (lengths.code)' },
    ])
    expect(await counts('tieline_bent_fields_total')).toEqual([
      ['stage-status', 'eventId', 1],
      ['stage-status', 'stageEndDateTime', 1],
    ])
    expect(await counts('tieline_unpublished_rules_broken_total')).toEqual([
      ['stage-status', 'eventType', 'lengths.code', 1],
    ])
  })

  test('is told of rows together, and of many paths only the first ones', async () => {
    const { openReader, attempt, notes } = start()
    const reader = openReader(attempt)
    const row = { nicId: 'N', headEndSystemId: 'NEST', reservationStartDateTime: '2026-07-01T18:00' }
    for (let i = 0; i < 3; i++) reader.readRow(reservationRow, { ...row, recordId: 'x'.repeat(i === 0 ? 255 : 1) })
    await reader.tell()
    await reader.tell()
    expect(notes).toEqual([
      { what: 'bent', values: 3, paths: 'reservationStartDateTime' },
      { what: 'unpublished', values: 1, paths: 'recordId (lengths.unknown)' },
    ])
  })

  test('is neither told nor counted again by later attempts', async () => {
    const { openReader, attempt, notes, counts } = start()
    await readMessage(openReader({ ...attempt, number: 2 }), stageStatus, { ...stage, eventId: 7, more: 1 })
    expect(notes).toEqual([])
    expect(await counts('tieline_bent_fields_total')).toEqual([])
    expect(await counts('tieline_unknown_fields_total')).toEqual([])
  })
})

describe('a field that the flow does not know', () => {
  test('is counted by its path, and logged once a day, without its value', async () => {
    const { openReader, attempt, logged, counts, dayLater } = start()
    const given = { ...stage, cancel_reason: 'Reyes moved' }
    for (let i = 0; i < 3; i++) await readMessage(openReader(attempt), stageStatus, given)
    expect(await counts('tieline_unknown_fields_total')).toEqual([['stage-status', 'cancel_reason', 3]])
    expect(logged).toMatchObject([{ flow: 'stage-status', path: 'cancel_reason', level: 'warn' }])
    expect(JSON.stringify(logged)).not.toContain('Reyes')
    dayLater()
    await readMessage(openReader(attempt), stageStatus, given)
    expect(logged).toHaveLength(2)
  })

  test('inside a list has the path of the list, and one in an acknowledgment is found in any of its forms', async () => {
    const { openReader, attempt, counts } = start()
    const responses = {
      response: [
        { dacsMessageId: '1', text: 'A' },
        { dacsMessageId: '2', text: 'B' },
      ],
    }
    const ack = { MsgAck: { ackType: 'SUCCESS', version: 2, responses } }
    await readMessage(openReader(attempt), enrollmentSyncAck, ack, { parts: msgAckParts })
    expect(await counts('tieline_unknown_fields_total')).toEqual([
      ['stage-status', 'version', 1],
      ['stage-status', 'responses[].text', 1],
    ])
  })

  test('may be a column of a file, whose name is all that is told', async () => {
    const { openReader, attempt, counts } = start()
    const bytes = async function* () {
      yield Buffer.from('NIC_ID;result;headEndSystemId;outcome;comment;\nN1;x;NEST;SUCCESS;Reyes;\n')
    }
    const aliases = { nic_id: 'nicId' }
    const passedOver = openReader(attempt).leftOut
    await Array.fromAsync(
      readEventRows(bytes(), { flow: 'event-outcome', aliases, emptyRows: 'passed-over', passedOver }),
    )
    expect(await counts('tieline_unknown_fields_total')).toEqual([
      ['stage-status', 'result', 1],
      ['stage-status', 'comment', 1],
    ])
  })

  test('does not make as many labels and lines as a sender makes up names', async () => {
    const { openReader, attempt, logged, counts } = start()
    for (let i = 0; i < 20; i++) {
      const names = Object.fromEntries(Array.from({ length: 40 }, (_, k) => [`field_${i}_${k}`, 1]))
      await readMessage(openReader(attempt), eventReservation, { messageId: 'M', stageId: '1', ...names })
    }
    await readMessage(openReader(attempt), stageStatus, { ...stage, 'Reyes, Ana <ana@example.org>': 1 })
    const told = (await counts('tieline_unknown_fields_total')) ?? []
    expect(told.length).toBeLessThanOrEqual(201)
    expect(told.find(([, path]) => path === 'other')?.[2]).toBeGreaterThan(500)
    expect(logged.length).toBeLessThanOrEqual(201)
    expect(JSON.stringify([told, logged])).not.toContain('Reyes')
  })
})
