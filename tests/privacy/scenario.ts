import { startConsole } from '@tieline/console/service'
import { inboundFlowIds } from '@tieline/contracts/flows'
import { listMessages, type MessageSummary, rerunMessage } from '@tieline/journal/operations'
import { settledStates } from '@tieline/journal/schema'
import { createLogger } from '@tieline/runtime/logger'
import { hashPassword } from '@tieline/runtime/password-hash'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { eventually } from '@tieline/testkit/eventually'
import { credentials } from '@tieline/testkit/installation'
import { type Pipeline, type PipelineOptions, startPipeline } from '@tieline/testkit/pipeline'
import { expect, inject } from 'vitest'
import { startTraceCollector } from '../observe/trace-collector.ts'
import {
  deviceStatusAck,
  deviceStatusCheck,
  enrollment,
  enrollmentRequest,
  enrollmentSync,
  enrollmentSyncAck,
  eventFile,
  farAck,
  farProblem,
  farWords,
  large,
  mark,
  outcomeCsv,
  plantedCode,
  plantedOutcome,
  reservationCsv,
  stageStatus,
} from './planted-messages.ts'
import { collectTraces, type Traces } from './traces.ts'

/** Who gets the e-mails. */
export const recipient = 'Recipient-Reyes@utility.example'

const operator = { username: 'ops', password: 'console-password' }

/** What nobody may find: planted values, and every password that somebody shows to somebody. */
export const secrets = [mark, ...Object.values(credentials).map(({ password }) => password), operator.password]

export interface Observed {
  /** With dead letters that wait for somebody. */
  readonly during: Traces
  /** With all of them resubmitted, and log and spans up to the end of every service. */
  readonly after: Traces
  readonly messages: readonly MessageSummary[]
  /** All that the far sides got. */
  readonly sent: string
}

/** Sends planted values down every path of every flow, and hands out what can be read of it afterwards. */
export async function observe(keys: Pick<PipelineOptions, 'payloadKeys'> = {}): Promise<Observed> {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ service: 'test', level: 'trace', destination })
  await using collector = await startTraceCollector()
  const observed = await observePipeline(
    {
      ...keys,
      traceEndpoint: collector.url,
      redisUrl: inject('redisUrl'),
      logger,
      lookups: { Email_ID: `PropertyName,Value\nFrom,tieline@utility.example\nTo,${recipient}\n` },
      sections: {
        console: {
          users: [{ name: operator.username, passwordHash: await hashPassword(operator.password), role: 'operator' }],
        },
        // The first failure ends the trying, but of a status check.
        flows: Object.fromEntries(
          inboundFlowIds.filter((flow) => flow !== 'device-status-check').map((flow) => [flow, { retryForS: 0 }]),
        ),
      },
    },
    () => ({ log: lines.join(''), spans: collector.text() }),
  )
  return { ...observed, after: { ...observed.after, log: lines.join(''), spans: collector.text() } }
}

async function observePipeline(options: PipelineOptions, told: () => Pick<Traces, 'log' | 'spans'>): Promise<Observed> {
  await using pipeline = await startPipeline(options)
  const { logger } = options
  await using console = await startConsole(pipeline.settings, { ...(logger && { logger }) })
  const look = () => collectTraces(pipeline, told(), { console, authorization: basicAuthorization(operator) })

  await sendEverything(pipeline)
  const ended = await settled(pipeline)
  const during = await look()
  await resubmitAll(pipeline)
  const endedAgain = await settled(pipeline)
  const after = await look()
  const sent = JSON.stringify([pipeline.dacs.received, pipeline.derms.received])
  return { during, after, messages: [...ended, ...endedAgain], sent }
}

async function sendEverything(pipeline: Pipeline): Promise<void> {
  const { dacs, derms, mailbox, post } = pipeline
  const dacsSays = (operation: string, status: number, body: unknown = farProblem) =>
    dacs.failNext({ operation, status, body })
  mailbox.failNext({ code: 550 })

  // F1: good, refused, failing, an odd status, records that break the contract, no list, an empty one
  await post('enrollment-request', enrollmentRequest(enrollment('ENR-1')))
  dacsSays('enrollProgram', 400)
  await post('enrollment-request', enrollmentRequest(enrollment('ENR-2')))
  dacsSays('enrollProgram', 503)
  await post('enrollment-request', enrollmentRequest(enrollment('ENR-3')))
  dacsSays('enrollProgram', 200, { 'X1-DAEnroll': { status: farWords } })
  await post('enrollment-request', enrollmentRequest(enrollment('ENR-4')))
  const broken = {
    ...enrollment('ENR-5'),
    customerInfo: { name: [mark], homePhone: mark.repeat(9), email: { at: mark } },
  }
  await post('enrollment-request', enrollmentRequest(enrollment('ENR-6'), broken, mark))
  await post('enrollment-request', { params: mark })
  await post('enrollment-request', enrollmentRequest())

  // F2: good, taken with a bad word, refused, failing, a broken contract
  await post('enrollment-sync', enrollmentSync('SYNC-1'))
  for (const [id, status, body] of [
    ['SYNC-2', 200, farAck('ERROR')],
    ['SYNC-3', 400, farAck('ERROR')],
    ['SYNC-4', 503, farAck('FAILURE')],
  ] as const) {
    derms.failNext({ operation: 'enroll', status, body })
    await post('enrollment-sync', enrollmentSync(id))
  }
  await post('enrollment-sync', enrollmentSync('SYNC-5', { contactInfo: mark, locationInfo: [mark] }))

  // F3: good, an error of DERMS, refused, failing, no acknowledgment at all
  for (const [id, code] of [
    ['SYNC-1', 'SUCCESS'],
    ['SYNC-2', 'ERROR'],
    ['SYNC-3', 'ERROR'],
    ['SYNC-4', 'ERROR'],
  ] as const) {
    dacs.register({ syncRequestId: id })
    if (id === 'SYNC-3') dacsSays('updateSyncRequest', 400)
    if (id === 'SYNC-4') dacsSays('updateSyncRequest', 503)
    await post('enrollment-sync-ack', enrollmentSyncAck(id, code))
    await pipeline.until(`enrollment-sync-ack.derms.${id}`, 'succeeded', 'dead')
  }
  await post('enrollment-sync-ack', { ackType: mark, responses: [{ value: mark }] })

  // F4 and F5: good, refused, failing, a broken contract, a code that DACS does not have
  for (const [id, status] of [
    ['COM-1', 200],
    ['COM-2', 400],
    ['COM-3', 503],
  ] as const) {
    dacs.register({ communicationId: id })
    if (status !== 200) derms.failNext({ operation: 'statusCheck', status, body: farAck('ERROR') })
    await post('device-status-check', deviceStatusCheck(id))
    if (status !== 200) dacsSays('postDeviceStatus', status)
    await post('device-status-ack', deviceStatusAck(id))
  }
  await post('device-status-check', { sendDetails: { communicationId: 'COM-4', deviceInfo: mark } })
  await post('device-status-ack', deviceStatusAck('COM-4', { code: mark }))
  await post('device-status-ack', deviceStatusAck('COM-5', plantedCode))

  // F7: good, repeated, changed, refused, failing, unknown, a broken contract, too large for Redis
  await post('stage-status', stageStatus('1', 'STG-1', 'SCHEDULED'))
  await post('stage-status', stageStatus('1', 'STG-1', 'SCHEDULED'))
  await post('stage-status', stageStatus('1', 'STG-1', 'CANCELED'))
  dacsSays('createProgramEvent', 400)
  await post('stage-status', stageStatus('2', 'STG-2', 'SCHEDULED'))
  dacsSays('createProgramEvent', 503)
  await post('stage-status', stageStatus('3', 'STG-3', 'SCHEDULED'))
  dacs.applyThenDrop({ operation: 'createProgramEvent' })
  await post('stage-status', stageStatus('4', 'STG-4', 'SCHEDULED'))
  await post('stage-status', stageStatus('4', 'STG-5', 'CANCELED'))
  await post(
    'stage-status',
    stageStatus('5', 'STG-6', 'SCHEDULED', { programCode: { of: mark }, eventId: mark.repeat(20) }),
  )
  dacsSays('createProgramEvent', 503)
  await post('stage-status', stageStatus('6', 'STG-7', 'SCHEDULED', large))

  await sendFiles(pipeline)

  // What the ingress refuses
  const refused: [headers: Record<string, string>, body: unknown][] = [
    [{ authorization: basicAuthorization({ username: credentials.derms.username, password: `${mark}-password` }) }, {}],
    [{ authorization: basicAuthorization({ username: `${mark}-user`, password: 'x' }) }, {}],
    [{ authorization: `Bearer ${mark}.${mark}.${mark}` }, {}],
    [{ 'x-request-id': `${mark} of Reyes` }, `{"cancelReason": ${mark}`],
    [{ 'content-type': 'text/plain' }, mark],
    [{ 'content-encoding': mark }, mark],
  ]
  for (const [headers, body] of refused) {
    const path = `/derms/statusUpdate?customer=${mark}`
    expect((await post('stage-status', body, { headers, path })).status).toBeGreaterThanOrEqual(400)
  }
}

/** F6 and F9: good, refused, failing, an outcome without a row, and files that cannot be read. */
async function sendFiles({ dacs, postFile }: Pipeline): Promise<void> {
  const dacsSays = (operation: string, status: number) => dacs.failNext({ operation, status, body: farProblem })
  const name = 'devices.csv'
  for (const [id, status] of [
    ['RSV-1', 200],
    ['RSV-2', 400],
    ['RSV-3', 503],
  ] as const) {
    if (status !== 200) dacsSays('reserveDevice', status)
    await postFile('event-reservation', eventFile(id), { name, content: reservationCsv })
    if (status !== 200) dacsSays('postEventOutcome', status)
    await postFile('event-outcome', eventFile(id.replace('RSV', 'OUT')), { name, content: outcomeCsv('SUCCESS') })
  }
  await postFile('event-outcome', eventFile('OUT-4'), { name, content: outcomeCsv(plantedOutcome) })
  for (const [id, content] of [
    ['RSV-5', `${mark},${mark}\n`],
    ['RSV-6', `nicId,headEndSystemId\n${mark}\n`],
    ['RSV-7', `nicId,headEndSystemId\n"${mark},NEST\n`],
  ] as const) {
    await postFile('event-reservation', eventFile(id), { name, content })
  }
}

/** Operators resubmit every dead letter; DACS refuses some again, some go through, and one was overtaken. */
async function resubmitAll({ journal, dacs }: Pipeline): Promise<void> {
  dacs.failNext({ operation: 'updateSyncRequest', status: 400, body: farProblem })
  dacs.failNext({ operation: 'createProgramEvent', status: 400, body: farProblem })
  const dead = await listMessages(journal, { state: 'dead', limit: 1_000 })
  for (const { key } of dead.toSorted((a, b) => a.key.localeCompare(b.key))) {
    await rerunMessage(journal, key, { who: 'ops', why: 'mended', onlyDead: true })
  }
}

const settled = ({ journal }: Pipeline) =>
  eventually(async () => {
    const messages = await listMessages(journal, { limit: 1_000 })
    return messages.every(({ state }) => settledStates.some((end) => end === state)) && messages
  })
