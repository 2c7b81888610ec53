import { parseExactJson } from '@tieline/contracts/exact-json'
import { examples } from '@tieline/contracts/examples'
import type { InboundFlowId } from '@tieline/contracts/flows'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { keyOf } from './golden-messages.ts'
import { bodiesOf } from './observed.ts'

/** What differs from the contract, written as it stands on the wire, and what the target gets all the same. */

const record = examples['enrollment-request'].params[0]
const enrollment = examples['enrollment-request.to-dacs']
const sync = examples['enrollment-sync'].sendDetails
const dermsSync = examples['enrollment-sync.to-derms']
const check = examples['device-status-check'].sendDetails
const stage = examples['stage-status']
const creation = examples['stage-status.to-dacs']
const reservation = examples['event-reservation']
const reserved = examples['event-reservation.to-dacs']
const outcome = examples['event-outcome']

let pipeline: Pipeline
beforeAll(async () => {
  const services = ['enrollment', 'events'] as const
  pipeline = await startPipeline({ services, redisUrl: inject('redisUrl') })
  pipeline.dacs.register({ communicationId: '15449036987859876543' })
})
afterAll(() => pipeline?.[Symbol.asyncDispose]())

/** JSON with numbers in place of the texts that are marked with `#`. */
const wire = (message: unknown) => JSON.stringify(message).replaceAll(/"#([^"]+)"/g, '$1')

const operations = {
  'enrollment-request': 'enrollProgram',
  'enrollment-sync': 'enroll',
  'enrollment-sync-ack': 'updateSyncRequest',
  'device-status-check': 'statusCheck',
  'device-status-ack': 'postDeviceStatus',
  'stage-status': 'createProgramEvent',
  'event-reservation': 'reserveDevice',
  'event-outcome': 'postEventOutcome',
} as const satisfies Record<InboundFlowId, string>

/** Sends a message and tells what the target got, and what stands on the time line about how it was read. */
async function send(flow: InboundFlowId, text: string, csv?: string) {
  const { dacs, derms, post, until } = pipeline
  const before = [dacs.received.length, derms.received.length]
  const { status, body } = await (csv === undefined ? post(flow, text) : postFile(flow, text, csv))
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  const message = await until(keyOf(flow, parseExactJson(text)), 'succeeded', 'refused', 'dead')
  const received = [...dacs.received.slice(before[0]), ...derms.received.slice(before[1])]
  const notes = message.timeline
    .filter(({ what }) => what === 'bent' || what === 'unpublished')
    .map(({ what, paths }) => [what, paths])
  return { body, sent: received.filter(({ operation }) => operation === operations[flow]), notes, message }
}

const postFile = (flow: InboundFlowId, text: string, csv: string) =>
  pipeline.postFile(flow as 'event-outcome', parseExactJson(text), { name: 'rows.csv', content: csv })

const only = ({ sent }: Awaited<ReturnType<typeof send>>) => {
  expect(sent).toHaveLength(1)
  return sent[0]?.body
}

describe('a message in another form than its contract reaches the target in that of the contract', () => {
  it('F1: ids that are numbers, one record, one asset, another form of date', async () => {
    const [asset] = record?.assetInfo.assetList ?? []
    const params = {
      ...record,
      messageId: '#8812345',
      customerInfo: { ...record?.customerInfo, cisPersonId: '#15449036987859876543', name: true, businessPhone: null },
      programInfo: { ...record?.programInfo, startDateTimeISO: '2024-09-01T00:00:00-0700' },
      assetInfo: { ...record?.assetInfo, assetList: { ...asset, sequence: '1', nicId: '#42' } },
    }
    const read = await send('enrollment-request', wire({ drmsInstanceId: 'SITE1', params }))
    const [sentAsset] = enrollment.assetInfo.assetList
    expect(only(read)).toEqual({
      ...enrollment,
      transactionId: '8812345',
      customerInfo: { ...enrollment.customerInfo, cisPersonId: '15449036987859876543', name: 'true' },
      assetInfo: { ...enrollment.assetInfo, assetList: [{ ...sentAsset, nicId: '42' }] },
    })
    expect(readMsgAck(read.body)?.responses).toMatchObject([{ id: '8812345', responseCode: 'SUCCESS' }])
    expect(read.notes).toEqual([
      [
        'bent',
        [
          'params',
          'params[].messageId',
          'params[].customerInfo.cisPersonId',
          'params[].customerInfo.name',
          'params[].programInfo.startDateTimeISO',
          'params[].assetInfo.assetList',
          'params[].assetInfo.assetList[].sequence',
          'params[].assetInfo.assetList[].nicId',
        ].join(', '),
      ],
    ])
  })

  it('F2: an id that is a number, one device, nulls, an empty text for an object', async () => {
    const [device] = sync.locationInfo.controllableDevices
    const sendDetails = {
      ...sync,
      syncRequestId: '#26550147098999',
      contactInfo: '',
      subscriptionInfo: { ...sync.subscriptionInfo, subscriptionId: '#883004771160', endDateTime: null },
      locationInfo: { ...sync.locationInfo, controllableDevices: { ...device, serialNo: null } },
    }
    const read = await send('enrollment-sync', wire({ sendDetails }))
    const [sent] = dermsSync.locationInfo.controllableDevices
    const { contactInfo: _, ...others } = dermsSync
    expect(only(read)).toEqual({
      ...others,
      dacsMessageId: '26550147098999',
      subscriptionInfo: { ...dermsSync.subscriptionInfo, subscriptionId: '883004771160', endDateTimeISO: null },
      locationInfo: { ...dermsSync.locationInfo, controllableDevices: [{ ...sent, serialNo: null }] },
    })
    expect(read.body).toEqual({ responseDetails: { externalId: '26550147098999' } })
    expect(read.message.line).toBe('enrollment-sync.dacs.883004771160')
  })

  it('F3: one response with an id that is a number', async () => {
    const response = { dacsMessageId: '#26550147098999', responseCode: 'SUCCESS' }
    const read = await send('enrollment-sync-ack', wire({ MsgAck: { ackType: 'SUCCESS', responses: { response } } }))
    expect(only(read)).toEqual({ 'F1-UpdateSyncRequest': { syncRequestId: '26550147098999', hasError: false } })
  })

  it('F4 and F5: a communication id of 20 digits', async () => {
    const communicationId = '15449036987859876543'
    const sendDetails = { ...check, communicationId: `#${communicationId}` }
    const asked = await send('device-status-check', wire({ sendDetails }))
    expect(only(asked)).toEqual({ ...examples['device-status-check.to-derms'], dacsMessageId: communicationId })
    expect(asked.body).toEqual({ responseDetails: { externalId: communicationId } })
    const ack = await send('device-status-ack', wire({ dacsMessageId: `#${communicationId}`, responseCode: 'SUCCESS' }))
    expect(only(ack)).toEqual({ responseDetail: { transactionID: communicationId, result: { status: 'SUCCESS' } } })
    expect(ack.message.key).toBe(`device-status-ack.derms.${communicationId}`)
    const found = await pipeline.tieline('messages', 'find', communicationId)
    expect(found.out).toContain(asked.message.key)
    expect(found.out).toContain(ack.message.key)
  })

  it.each([
    ['2026-07-01T11:00:00-0700', '2026-07-01T18:00:00Z'],
    ['2026-07-01T11:00:00-07', '2026-07-01T18:00:00Z'],
    ['2026-07-01T18:00:00', '2026-07-01T18:00:00Z'],
    ['2026-07-01 18:00:00', '2026-07-01T18:00:00Z'],
    ['2026-07-01T18:00Z', '2026-07-01T18:00:00Z'],
    ['2026-07-01t18:00:00z', '2026-07-01T18:00:00Z'],
    ['2026-06-30T24:00:00Z', '2026-07-01T00:00:00Z'],
  ])('F7: a stage that begins at %s, with event and stage as numbers', async (given, startDateTime) => {
    const stageId = String(Date.now()) + given.length
    const numbers = { eventId: '#8812345', stageId: `#${stageId}`, messageId: `STG-${given}` }
    const times = { stageStartDateTime: given, stageEndDateTime: '2026-07-02T00:00:00Z' }
    const read = await send('stage-status', wire({ ...stage, ...numbers, ...times, cancelReason: null }))
    expect(only(read)).toEqual({
      ...creation,
      eventExternalIdentifier: '8812345',
      externalIdentifier: stageId,
      startDateTime,
      endDateTime: '2026-07-02T00:00:00Z',
    })
    expect(readMsgAck(read.body)?.ackType).toBe('SUCCESS')
    expect(read.notes).toEqual([['bent', 'eventId, stageId, stageStartDateTime']])
  })

  it('F6 and F9: ids that are numbers, one event id, times without zone in JSON and rows', async () => {
    await send('stage-status', JSON.stringify(stage))
    const json = wire({ ...reservation, eventId: '#8812345', stageId: '#1315', eventStartDateTime: '2024-09-01 18:00' })
    const csv =
      'nicId,headEndSystemId,reservationStartDateTime\nN1,NEST,2024-09-01T18:00\nN2,NEST,2024-09-01T11:00-07\n'
    const file = await send('event-reservation', json, csv)
    const start = { reservationStartDateTime: '2024-09-01T18:00:00Z' }
    expect(only(file)).toEqual({
      ...reserved,
      deviceList: ['N1', 'N2'].map((nicId) => ({ nicId, headEndSystem: 'NEST', ...start })),
    })
    expect(file.notes).toEqual([
      ['bent', 'eventId, stageId, eventStartDateTime'],
      ['bent', 'reservationStartDateTime'],
    ])
    const outcomeJson = wire({ ...outcome, eventIds: '#8812345' })
    const row = 'stageId,nicId,headEndSystemId,outcome,participationEndDateTime\n1315,N1,NEST,SUCCESS,20240901T2000Z\n'
    expect(only(await send('event-outcome', outcomeJson, row))).toEqual({
      postOutcomeList: [
        {
          eventExternalIdentifier: '1315',
          nicId: 'N1',
          headEndSystem: 'NEST',
          outcome: 'D1SP',
          participationEndDateTime: '2024-09-01T20:00:00Z',
        },
      ],
    })
  })

  it('a path with a slash at the end or doubled slashes is the same path', async () => {
    for (const [index, path] of ['/derms/statusUpdate/', '//derms//statusUpdate'].entries()) {
      const posted = await pipeline.post('stage-status', { ...stage, messageId: `STG-path-${index}` }, { path })
      expect(readMsgAck(posted.body)?.ackType).toBe('SUCCESS')
    }
  })
})

describe('a rule that nobody has published', () => {
  it('lets what breaks it go on as it is, and the time line says so without the value', async () => {
    const county = `County ${'x'.repeat(90)}`
    const locationInfo = { ...record?.locationInfo, county }
    const text = JSON.stringify({ drmsInstanceId: 'SITE1', params: [{ ...record, messageId: 'LONG', locationInfo }] })
    const read = await send('enrollment-request', text)
    expect(only(read)).toEqual({
      ...enrollment,
      transactionId: 'LONG',
      locationInfo: { ...enrollment.locationInfo, county },
    })
    expect(read.notes).toEqual([['unpublished', 'params[].locationInfo.county (lengths.county)']])
    const shown = await pipeline.tieline('messages', 'show', read.message.key)
    expect(shown.out).toContain('params[].locationInfo.county (lengths.county)')
    expect(shown.out).not.toContain(county)
  })
})

it('a message that fits is sent and told as ever, and nothing is noted', async () => {
  const read = await send('enrollment-request', JSON.stringify(examples['enrollment-request']))
  expect(only(read)).toEqual(enrollment)
  expect(read.notes).toEqual([])
  expect(bodiesOf(pipeline.dacs, 'enrollProgram').length).toBeGreaterThan(0)
})
