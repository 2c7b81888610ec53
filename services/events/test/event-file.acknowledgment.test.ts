import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { examples } from '@tieline/contracts/examples'
import { renderMsgAck, usualMsgAckForm } from '@tieline/contracts/msg-ack'
import type { AttemptFile, Settlement } from '@tieline/journal/types'
import { never, TielineError } from '@tieline/runtime/error'
import { answer, fakeAttempt, fakeDeps } from '@tieline/testkit/fakes'
import { describe, expect, test } from 'vitest'
import { outcomeFile } from '../src/mappings/event-outcome.ts'
import { reservationFile } from '../src/mappings/event-reservation.ts'
import { createEventFileProcessor } from '../src/processors/event-file.ts'
import { tablesWith } from './tables.ts'

const tables = tablesWith()

const exampleFile = (flow: string) =>
  readFileSync(new URL(`../../../packages/contracts/examples/${flow}.csv`, import.meta.url), 'utf8')

function fileOf(content: string): AttemptFile {
  const bytes = Buffer.from(content)
  async function* open() {
    yield bytes
  }
  return { name: 'f.csv', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), open }
}

/** A DACS that takes everything. */
const depsAt = (time: string) => {
  const taken = async () => answer({})
  const dacs = { postEventOutcome: taken, reserveDevice: taken, healthCheck: taken, concurrency: 1 }
  return fakeDeps({ dacs }, () => Date.parse(time))
}

const written = ({ acknowledgment }: Settlement) =>
  JSON.stringify(acknowledgment && renderMsgAck(acknowledgment.ack, usualMsgAckForm))

describe('golden examples', () => {
  test('a file of which DACS took every row is acknowledged, byte for byte', async () => {
    const example = examples['event-reservation.ack']
    const processor = createEventFileProcessor(reservationFile, depsAt(example.MsgAck.whenISO))
    const file = fileOf(exampleFile('event-reservation'))
    const { attempt } = fakeAttempt('event-reservation', examples['event-reservation'], {}, file)
    expect(written(await processor.process(attempt, tables))).toBe(JSON.stringify(example))
  })

  test('a file with a row that was left out is acknowledged, byte for byte', async () => {
    const example = examples['event-outcome.ack-error']
    const processor = createEventFileProcessor(outcomeFile, depsAt(example.MsgAck.whenISO))
    const file = fileOf(exampleFile('event-outcome').replace('OVERRIDE', 'ASLEEP'))
    const { attempt } = fakeAttempt('event-outcome', examples['event-outcome'], {}, file)
    expect(written(await processor.process(attempt, tables))).toBe(JSON.stringify(example))
  })
})

test('a message that cannot be read is acknowledged by what its record says', () => {
  const processor = createEventFileProcessor(outcomeFile, fakeDeps())
  const { attempt } = fakeAttempt('event-outcome', undefined)
  const unreadable = new TielineError('payload-unreadable', never, 'The payload cannot be read')
  const unread = { ...attempt, instance: 'SITE2', id: 'OUT-7' }
  expect(processor.givesUpUnread).toBe(true)
  expect(processor.giveUp(unread, unreadable, tables)).toMatchObject({
    state: 'dead',
    outcome: 'FAILURE',
    code: 'payload-unreadable',
    acknowledgment: {
      drmsInstanceId: 'SITE2',
      ack: { ackType: 'FAILURE', responses: [{ id: 'OUT-7', value: 'The payload cannot be read' }] },
    },
  })
})
