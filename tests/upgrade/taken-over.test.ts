import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { examples } from '@tieline/contracts/examples'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { enrollmentSync, enrollmentSyncAck } from '../flows/golden-messages.ts'
import { type DumpedKey, installationOf, stories } from './installation.ts'

/** What `keep-records.ts` wrote when its version was the present one: messages in every state. */
const name = 'format-1'

async function restore(): Promise<void> {
  const file = new URL(`records/${name}.json.gz`, import.meta.url)
  const keys = JSON.parse(gunzipSync(await readFile(file)).toString()) as DumpedKey[]
  const redis = new Redis(inject('redisUrl'))
  await Promise.all(
    keys.map(({ key, ttlMs, dump }) => redis.restore(key, ttlMs, Buffer.from(dump, 'base64'), 'REPLACE')),
  )
  redis.disconnect()
}

describe('records of the version before', () => {
  let pipeline: Pipeline

  beforeAll(async () => {
    await restore()
    pipeline = await startPipeline({ ...installationOf(name), redisUrl: inject('redisUrl') })
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  const callsAbout = (text: string) =>
    [...pipeline.dacs.received, ...pipeline.derms.received]
      .filter(({ body }) => JSON.stringify(body)?.includes(`"${text}"`))
      .map(({ operation }) => operation)

  test('a stage that was tried again and the status that waited behind it go through, in their order', async () => {
    await pipeline.until('stage-status.SITE1.STG-3001-2', 'succeeded')
    expect(callsAbout(stories.retryingStage).filter((operation) => operation.includes('ProgramEvent'))).toEqual([
      'createProgramEvent',
      'actionProgramEvent',
    ])
  })

  test('a reservation that waited for its stage goes through and is acknowledged', async () => {
    await pipeline.until('event-reservation.SITE1.RSV-2', 'succeeded')
    await eventually(() => callsAbout('RSV-2').includes('eventReservationAck'))
  })

  test('a call that was under way is made again, and counted as of unknown outcome', async () => {
    const message = await pipeline.until('stage-status.SITE1.STG-3002-1', 'succeeded')
    expect(message.effects).toMatchObject([{ id: 'create', state: 'confirmed', tries: 2, repeats: 1 }])
  })

  test('a record that DACS had confirmed is not sent again, the one that failed is', async () => {
    const [key = ''] = (await pipeline.messages()).filter((one) => one.startsWith('enrollment-request.'))
    await pipeline.until(key, 'succeeded', 'refused')
    await eventually(() => callsAbout('ENR-4').length > 0)
    expect([...callsAbout('ENR-3'), ...callsAbout('ENR-4')]).toEqual(['enrollProgram'])
  })

  test('syncs of one subscription go on one after another', async () => {
    await pipeline.until(`enrollment-sync.dacs.${stories.waitingSync}`, 'succeeded')
    const sent = pipeline.derms.received.map(({ body }) => (body as { dacsMessageId?: string }).dacsMessageId)
    const wanted: (string | undefined)[] = [stories.retryingSync, stories.waitingSync]
    expect(sent.filter((id) => wanted.includes(id))).toEqual(wanted)
  })

  test('a repeat of what succeeded gets the stored reply, without a call', async () => {
    const { status, body } = await pipeline.post('stage-status', examples['stage-status'])
    expect({ status, body }).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'SUCCESS' } } })
    expect((await pipeline.post('enrollment-sync', enrollmentSync(stories.syncWithoutAck))).status).toBe(200)
    expect([...callsAbout(stories.createdStage), ...callsAbout(stories.syncWithoutAck)]).not.toContain('enroll')
    expect(callsAbout('STG-1315-1')).toEqual([])
  })

  test('an acknowledgment finds the request it belongs to', async () => {
    pipeline.dacs.register({ syncRequestId: stories.syncWithoutAck })
    await pipeline.post('enrollment-sync-ack', enrollmentSyncAck({ dacsMessageId: stories.syncWithoutAck }))
    await pipeline.until(`enrollment-sync-ack.derms.${stories.syncWithoutAck}`, 'succeeded')
  })

  test('dead letters are listed, told about and resubmitted', async () => {
    const { out } = await pipeline.tieline('dead', 'list', '--json')
    const dead = (JSON.parse(out) as { key: string }[]).map(({ key }) => key)
    expect(dead).toEqual(
      expect.arrayContaining([
        'stage-status.SITE1.STG-2002-1',
        `enrollment-sync-ack.derms.${stories.unknownSync}`,
        'event-outcome.SITE1.OUT-1',
        expect.stringMatching(/^acknowledgment\.event-outcome\./),
      ]),
    )
    for (const key of dead) expect(await pipeline.tieline('messages', 'show', key)).toMatchObject({ code: 0 })
    for (const key of dead) {
      expect(await pipeline.tieline('dead', 'resubmit', key, '--reason', 'taken over')).toMatchObject({ code: 0 })
    }
    await pipeline.until('stage-status.SITE1.STG-2002-1', 'succeeded')
    await eventually(() => callsAbout('OUT-2').includes('deviceOutcomeAck'))
  })

  test('rows of a file that was settled can be asked for', async () => {
    const { code, out } = await pipeline.tieline('messages', 'rows', 'event-outcome.SITE1.OUT-2', '--row', '1')
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('confirmed') })
  })

  test('every message is listed, with what happened to it', async () => {
    for (const key of await pipeline.messages()) {
      expect(await pipeline.tieline('messages', 'show', key), key).toMatchObject({ code: 0 })
    }
  })
})
