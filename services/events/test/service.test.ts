import { examples } from '@tieline/contracts/examples'
import { expect, test } from 'vitest'
import { openService } from './harness.ts'

const scheduled = examples['stage-status']
const canceled = examples['stage-status.cancel']
const bodies = (received: readonly { body: unknown }[]) => received.map(({ body }) => body)

test('a stage is scheduled and canceled in DACS, and DERMS is told SUCCESS each time', async () => {
  await using service = await openService()
  for (const message of [scheduled, canceled]) {
    const { status, ack } = await service.send(message)
    expect(status).toBe(200)
    expect(ack).toMatchObject({
      ackType: 'SUCCESS',
      responses: [{ id: message.messageId, responseCode: 'SUCCESS' }],
    })
  }
  expect(bodies(service.dacs.received)).toEqual([
    examples['stage-status.to-dacs'],
    examples['stage-status.cancel-to-dacs'],
  ])
  expect(service.dacs.programEvents.get('1315')?.history).toEqual(['X1SD', 'F1CN'])
  expect(await service.notices()).toEqual([])
})

test.each([
  ['a status without a row', { ...scheduled, stageStatus: 'PLANNED' }, 'lookup-missing'],
  ['a creation without its program', { ...scheduled, programCode: '' }, 'contract-violation'],
  ['a message without a stage', { messageId: 'STG-0', stageStatus: 'CANCELED' }, 'contract-violation'],
  ['a body that is no object', ['SCHEDULED'], 'contract-violation'],
])('DACS is not called for %s; DERMS is told ERROR and people get an e-mail', async (_what, message, code) => {
  await using service = await openService()
  const { status, ack, message: seen } = await service.send(message)
  expect({ status, ackType: ack?.ackType }).toEqual({ status: 200, ackType: 'ERROR' })
  expect(seen).toMatchObject({ state: 'refused', outcome: 'ERROR', code })
  expect(service.dacs.received).toEqual([])
  expect(await service.notices()).toMatchObject([{ kind: 'error', code, messageKey: seen?.key }])
})

test('two DACS and no row of Routing: ERROR, neither is called', async () => {
  await using service = await openService(
    '  DACS_OTHER: { kind: dacs, baseUrl: "http://127.0.0.1:9/rest/apis", auth: none }',
  )
  const { ack, message } = await service.send(scheduled)
  expect(ack?.ackType).toBe('ERROR')
  expect(message).toMatchObject({ state: 'refused', code: 'routing-missing' })
  expect(service.dacs.received).toEqual([])
})

test('what DACS refuses is told to DERMS in the words of DACS, which no e-mail repeats', async () => {
  await using service = await openService()
  const { status, ack, message } = await service.send({ ...scheduled, programCode: 'EV-REYES' })
  expect({ status, ackType: ack?.ackType }).toEqual({ status: 200, ackType: 'ERROR' })
  expect(ack?.responses).toMatchObject([{ id: 'STG-1315-1', value: expect.stringContaining('EV-REYES') }])
  expect(message).toMatchObject({
    state: 'refused',
    code: 'target-refused',
    effects: [{ id: 'create', state: 'refused', connection: 'DACS_MAIN', status: 400 }],
  })
  const notices = await service.notices()
  expect(notices).toMatchObject([{ code: 'target-refused', connection: 'DACS_MAIN', httpStatus: 400 }])
  expect(JSON.stringify([message, notices])).not.toContain('EV-REYES')
})

test('a call that DACS applied without answering is made again, and creates one event', async () => {
  await using service = await openService()
  service.dacs.applyThenDrop()
  const { ack, message } = await service.send(scheduled)
  expect(ack?.ackType).toBe('SUCCESS')
  expect(service.dacs.count('createProgramEvent')).toBe(2)
  expect(service.dacs.programEvents.get('1315')?.history).toEqual(['X1SD'])
  expect(message).toMatchObject({ effects: [{ id: 'create', state: 'confirmed', tries: 2 }] })
})

test('DACS keeps failing: FAILURE, a dead letter and an e-mail', async () => {
  await using service = await openService('flows: { stage-status: { retryForS: 0 } }')
  service.dacs.failNext({ status: 503 })
  const { status, ack, message } = await service.send(scheduled)
  expect({ status, ackType: ack?.ackType }).toEqual({ status: 200, ackType: 'FAILURE' })
  expect(message).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: 'target-error' })
  expect(await service.notices()).toMatchObject([{ code: 'target-error', httpStatus: 503 }])
})

test('a refusal after a call without an answer proves nothing: FAILURE, never ERROR', async () => {
  await using service = await openService()
  service.dacs.applyThenDrop()
  service.dacs.failNext({ status: 400 })
  const { ack, message } = await service.send(scheduled)
  expect(ack?.ackType).toBe('FAILURE')
  expect(message).toMatchObject({ state: 'dead', code: 'outcome-unknown' })
})

test('a repeat that is older than what DACS has answered is refused as superseded', async () => {
  await using service = await openService('flows: { stage-status: { retryForS: 0 } }')
  service.dacs.failNext({ status: 503 })
  await service.send(scheduled)
  await service.send({ ...canceled, stageStatus: 'COMPLETED' })
  const { ack, message } = await service.send(scheduled)
  expect(ack?.ackType).toBe('ERROR')
  expect(message).toMatchObject({ state: 'superseded', code: 'superseded' })
  expect(service.dacs.count('createProgramEvent')).toBe(1)
  expect(await service.notices()).toContainEqual(expect.objectContaining({ code: 'superseded' }))
})
