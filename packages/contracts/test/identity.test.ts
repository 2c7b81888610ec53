import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExactJson } from '../src/exact-json.ts'
import { examples } from '../src/examples.ts'
import { type InboundFlowId, inboundFlowIds } from '../src/flows.ts'
import { identify } from '../src/identity.ts'

const payloadHash = 'f'.repeat(64)
const of = (flow: InboundFlowId, body: unknown) => identify(flow, body, 'derms', payloadHash)
const ack = (...ids: string[]) => ({
  ackType: 'SUCCESS',
  responses: ids.map((dacsMessageId) => ({ dacsMessageId, responseCode: 'SUCCESS' })),
})

describe('identity', () => {
  test.each([
    {
      flow: 'enrollment-sync',
      body: examples['enrollment-sync'],
      identity: {
        key: 'enrollment-sync.derms.26550147098960',
        instance: 'derms',
        id: '26550147098960',
        line: 'derms.883004771160',
        terms: ['26550147098960', '883004771160', 'NIC-0001'],
        division: 'CA',
      },
    },
    {
      flow: 'enrollment-sync-ack',
      body: examples['enrollment-sync-ack'],
      identity: {
        key: 'enrollment-sync-ack.derms.26550147098960',
        instance: 'derms',
        id: '26550147098960',
        terms: ['26550147098960'],
        answers: { flow: 'enrollment-sync', terms: ['26550147098960'] },
      },
    },
    {
      flow: 'device-status-check',
      body: examples['device-status-check'],
      identity: {
        key: 'device-status-check.derms.20240901000000000000000000882',
        instance: 'derms',
        id: '20240901000000000000000000882',
        terms: ['20240901000000000000000000882', 'NIC-0001'],
        division: 'CA',
      },
    },
    {
      flow: 'device-status-ack',
      body: examples['device-status-ack'],
      identity: {
        key: 'device-status-ack.derms.20240901000000000000000000882',
        instance: 'derms',
        id: '20240901000000000000000000882',
        terms: ['20240901000000000000000000882'],
        answers: { flow: 'device-status-check', terms: ['20240901000000000000000000882'] },
      },
    },
    {
      flow: 'stage-status',
      body: examples['stage-status'],
      identity: {
        key: 'stage-status.SITE1.STG-1315-1',
        instance: 'SITE1',
        id: 'STG-1315-1',
        line: 'SITE1.1315',
        terms: ['STG-1315-1', '1301', '1315'],
      },
    },
  ] as const)('of $flow is read from its golden example', ({ flow, body, identity }) => {
    expect(of(flow, body)).toEqual(identity)
  })

  test('of an enrollment request depends on its record ids and not on their order', () => {
    const request = (...ids: string[]) => ({ drmsInstanceId: 'SITE1', params: ids.map((messageId) => ({ messageId })) })
    const key = of('enrollment-request', request('a', 'b')).key
    expect(key).toMatch(/^enrollment-request\.SITE1\.[0-9a-f]{32}$/)
    expect(of('enrollment-request', request('b', 'a')).key).toBe(key)
    expect(of('enrollment-request', request('b', 'a', 'b')).key).toBe(key)
    expect(of('enrollment-request', request('a', 'b', 'c')).key).not.toBe(key)
    expect(of('enrollment-request', request('a,b')).key).not.toBe(key)
    expect(of('enrollment-request', request('a')).id).toHaveLength(32)
  })

  test('of an enrollment request finds it by every record and device', () => {
    expect(of('enrollment-request', examples['enrollment-request.mixed']).terms).toEqual([
      'DR-ENR-000123',
      'DR-ENR-000124',
      'NIC-0001',
      'NIC-0002',
    ])
  })

  test('of an acknowledgment of many syncs depends on their ids and not on their order', () => {
    const { key, terms } = of('enrollment-sync-ack', ack('1', '2'))
    expect(terms).toEqual(['1', '2'])
    expect(of('enrollment-sync-ack', ack('2', '1')).key).toBe(key)
    expect(of('enrollment-sync-ack', { MsgAck: { ...ack(), responses: { response: { dacsMessageId: 7 } } } }).id).toBe(
      '7',
    )
  })

  test('of ids that are numbers keeps their digits, whatever their length, and one value where a list is wanted counts', () => {
    const check = parseExactJson('{"sendDetails":{"communicationId":15449036987859876543,"deviceInfo":{"nicid":1.10}}}')
    expect(of('device-status-check', check)).toMatchObject({
      key: 'device-status-check.derms.15449036987859876543',
      terms: ['15449036987859876543', '1.10'],
    })
    const stage = parseExactJson('{"drmsInstanceId":7,"messageId":1e400,"stageId":12345678901234567890}')
    expect(of('stage-status', stage)).toMatchObject({ id: '1e400', line: '7.12345678901234567890' })
    const one = { params: { messageId: 'a', assetInfo: { assetList: { nicId: 5 } } } }
    expect(of('enrollment-request', one)).toEqual({
      ...of('enrollment-request', { params: [{ messageId: 'a' }] }),
      terms: ['a', '5'],
    })
    const sync = { sendDetails: { syncRequestId: 1, locationInfo: { controllableDevices: { nicId: 'N' } } } }
    expect(of('enrollment-sync', sync).terms).toEqual(['1', 'N'])
    expect(of('event-outcome', { messageId: 'O', eventIds: 8812345 }).terms).toEqual(['O', '8812345'])
  })

  test.each(inboundFlowIds)('of %s without an id is its payload', (flow) => {
    expect(of(flow, {})).toMatchObject({ key: `${flow}.derms.${payloadHash}`, id: payloadHash, terms: [] })
    expect(of(flow, {})).not.toHaveProperty('line')
    expect(of(flow, {})).not.toHaveProperty('division')
  })

  test('keeps keys apart whatever characters the parts hold', () => {
    const stage = (drmsInstanceId: string, messageId: string) => of('stage-status', { drmsInstanceId, messageId }).key
    expect(stage('A.B', 'C')).toBe('stage-status.A%2EB.C')
    expect(stage('A', 'B.C')).toBe('stage-status.A.B%2EC')
    expect(stage('A', 'ü/{}!')).toBe('stage-status.A.%C3%BC%2F%7B%7D%21')
    expect(stage('', 'x')).toBe('stage-status.derms.x')
    expect(stage('A', '\ud800')).toBe('stage-status.A.%EF%BF%BD')
  })

  test('never grows with what the sender writes', () => {
    const long = 'x'.repeat(5000)
    const identity = of('stage-status', { drmsInstanceId: long, messageId: long, stageId: long, eventId: long })
    expect(identity.key).toMatch(/^stage-status\.[0-9a-f]{32}\.[0-9a-f]{32}$/)
    expect(identity.line).toHaveLength(65)
    expect(identity.terms).toEqual([])
    const division = { sendDetails: { deviceInfo: { division: long } } }
    expect(of('device-status-check', division)).not.toHaveProperty('division')
    const params = Array.from({ length: 3000 }, (_, index) => ({ messageId: `m${index}` }))
    expect(of('enrollment-request', { params }).terms).toHaveLength(2000)
  })

  test('never throws and is always a safe key', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...inboundFlowIds),
        fc.jsonValue(),
        fc.string({ unit: 'binary' }),
        (flow, body, text) => {
          const odd = { drmsInstanceId: text, messageId: text, params: [body, null], sendDetails: body, MsgAck: body }
          for (const sent of [body, odd]) {
            const { key } = of(flow, sent)
            expect(key).toMatch(/^[a-z-]+\.[A-Za-z0-9_%-]+\.[A-Za-z0-9_%-]+$/)
            expect(key.length).toBeLessThan(2300)
          }
        },
      ),
    )
  })
})
