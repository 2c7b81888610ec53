import { examples } from '@tieline/contracts/examples'
import { readStoredPayload } from '@tieline/journal/operations'
import { describe, expect, test } from 'vitest'
import { openIngress, settling, succeeded } from './harness.ts'

const sync = examples['enrollment-sync']
const accepted = 503

describe('a message of another type than its contract', () => {
  const numbered = { sendDetails: { ...sync.sendDetails, syncRequestId: 5 } }
  const long = { sendDetails: { ...sync.sendDetails, contactInfo: { contactId: 'x'.repeat(13) } } }

  test('is taken, under the digits of its id, and so is one that breaks a rule which nobody has published', async () => {
    await using ingress = await openIngress()
    expect((await ingress.post('enrollment-sync', numbered)).status).toBe(accepted)
    expect(await ingress.field('enrollment-sync.dacs.5', 'state')).toBe('accepted')
    expect(await readStoredPayload(ingress.journal, 'enrollment-sync.dacs.5')).toEqual(numbered)
    expect((await ingress.post('enrollment-sync', long)).status).toBe(accepted)
  })

  test('is refused where the installation is strict', async () => {
    await using ingress = await openIngress({ sections: { compat: { reading: 'strict' } } })
    for (const [body, path, rule] of [
      [numbered, 'sendDetails.syncRequestId', 'expected string'],
      [long, 'sendDetails.contactInfo.contactId', 'at most 12 characters'],
    ] as const) {
      const told = await ingress.post('enrollment-sync', body)
      expect(told.status).toBe(400)
      expect(told.body['o:errorDetails']).toMatchObject([{ 'o:errorPath': path, title: rule }])
    }
    expect(await ingress.recorded()).toEqual([])
  })

  test('an acknowledgment with a number for its id is a repeat of itself, whatever it is written like', async () => {
    await using ingress = await openIngress()
    const ack = { ackType: 'SUCCESS', responses: [{ dacsMessageId: 7 }] }
    for (const body of [ack, JSON.stringify(ack, null, 2)])
      expect((await ingress.post('enrollment-sync-ack', body)).status).toBe(202)
    expect(await ingress.field('enrollment-sync-ack.derms.7', 'generation')).toBe('1')
  })
})

describe('an installation whose far sides write otherwise', () => {
  const compat = {
    roots: { 'stage-status': 'StageStatus', 'enrollment-sync': '', 'device-status-check': 'DeviceStatusCheck' },
    msgAckWrapper: false,
    msgAckResponses: 'response',
    msgAckNames: { id: 'recordId', value: 'text', responseCode: 'result' },
    acceptedReply: 'msgAck',
  }

  test('takes off what stands around a message, and puts on what the contract has', async () => {
    await using ingress = await openIngress({ sections: { compat } })
    const processor = settling('stage-status', () => succeeded({ done: true }))
    await ingress.work(processor)
    const stage = examples['stage-status']
    expect((await ingress.post('stage-status', { StageStatus: stage, sentAt: 'now' })).status).toBe(200)
    expect(processor.payloads).toEqual([stage])
    expect((await ingress.post('enrollment-sync', sync.sendDetails)).status).toBe(accepted)
    const { syncRequestId } = sync.sendDetails
    expect(await readStoredPayload(ingress.journal, `enrollment-sync.dacs.${syncRequestId}`)).toEqual(sync)
    const check = examples['device-status-check']
    expect((await ingress.post('device-status-check', { DeviceStatusCheck: check.sendDetails })).status).toBe(accepted)
    const { communicationId } = check.sendDetails
    expect(await readStoredPayload(ingress.journal, `device-status-check.dacs.${communicationId}`)).toEqual(check)
  })

  test('answers what it accepts with an acknowledgment of its own form, and reads that form', async () => {
    await using ingress = await openIngress({ sections: { compat } })
    const ack = { ackType: 'ERROR', response: [{ dacsMessageId: '7', text: 'No such person', result: 'ERROR' }] }
    const told = await ingress.post('enrollment-sync-ack', ack)
    expect(told).toMatchObject({ status: 200, body: { ackType: 'SUCCESS', response: [{ result: 'SUCCESS' }] } })
    expect(await readStoredPayload(ingress.journal, 'enrollment-sync-ack.derms.7')).toEqual({
      ackType: 'ERROR',
      response: [{ dacsMessageId: '7', value: 'No such person', responseCode: 'ERROR' }],
    })
    const provisional = await ingress.post('device-status-ack', { dacsMessageId: '7', responseCode: 'SUCCESS' })
    expect(provisional.body).toMatchObject({
      ackType: 'FAILURE',
      response: [{ dacsMessageId: '7', text: 'IN_PROGRESS', result: 'FAILURE' }],
    })
  })
})
