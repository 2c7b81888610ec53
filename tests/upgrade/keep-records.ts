/**
 * Writes what Redis holds of an installation whose messages are in every state, for a test of later versions.
 * Run it on the version whose format is to be kept: `node tests/upgrade/keep-records.ts <name of the format> <file>`.
 */
import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { examples } from '@tieline/contracts/examples'
import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { startRedisForm } from '@tieline/testkit/redis-forms/redis-form'
import {
  deviceStatusCheck,
  enrollmentRecord,
  enrollmentRequest,
  enrollmentSync,
  enrollmentSyncAck,
  unknownProgram,
} from '../flows/golden-messages.ts'
import { type DumpedKey, installationOf, stories } from './installation.ts'

const [name = '', file = ''] = process.argv.slice(2)
if (name === '' || file === '') throw new Error('usage: node tests/upgrade/keep-records.ts <name of the format> <file>')

const stage = (stageId: string, messageId: string, more: object = {}) => ({
  ...examples['stage-status'],
  stageId,
  messageId,
  ...more,
})
const csv = (...lines: string[]) => ({ name: 'devices.csv', content: `${lines.join('\n')}\n` })
const reservationHeader = 'recordId,nicId,headEndSystemId,reservationStartDateTime,reservationEndDateTime'
const outcomeHeader =
  'recordId,eventId,stageId,nicId,headEndSystemId,outcome,participationStartDateTime,participationEndDateTime,errorMessage'

await using redis = await startRedisForm('standalone')
await settleAll()
const dumped = await leaveOpen()
await writeFile(file, gzipSync(JSON.stringify(dumped), { level: 9 }))
process.stdout.write(`${dumped.length} keys\n`)

/** Messages that end, well and badly. */
async function settleAll(): Promise<void> {
  const noRetries = { retryForS: 0 }
  const flows = { 'stage-status': noRetries, 'event-outcome': noRetries, acknowledgment: noRetries }
  await using pipeline = await startPipeline({ ...installationOf(name, flows), redisUrl: redis.url })
  const { dacs, derms } = pipeline

  await pipeline.post('stage-status', examples['stage-status'])
  await pipeline.post('stage-status', stage(stories.refusedStage, 'STG-2001-1', { programCode: 'EV-WINTER' }))
  dacs.failNext({ status: 503 })
  await pipeline.post('stage-status', stage(stories.deadStage, 'STG-2002-1'))
  await pipeline.post('enrollment-request', enrollmentRequest(enrollmentRecord('ENR-1'), unknownProgram('ENR-2')))
  await pipeline.post('enrollment-sync', enrollmentSync(stories.syncWithoutAck))
  await pipeline.post('device-status-check', deviceStatusCheck('CHK-1'))
  await pipeline.post('enrollment-sync-ack', enrollmentSyncAck({ dacsMessageId: stories.unknownSync }))
  await pipeline.until(`enrollment-sync-ack.derms.${stories.unknownSync}`, 'dead')

  await pipeline.postFile(
    'event-reservation',
    { ...examples['event-reservation'], messageId: 'RSV-1' },
    csv(reservationHeader, '1,NIC-0001,NEST,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z', '2,NIC-0002,Ecobee,,'),
  )
  await pipeline.until('event-reservation.SITE1.RSV-1', 'succeeded')
  await pipeline.postFile(
    'event-outcome',
    { ...examples['event-outcome'], messageId: 'OUT-1' },
    csv(
      outcomeHeader,
      '1,1301,1315,NIC-0001,NEST,SUCCESS,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z,',
      '2,1301,1315,NIC-0002,Ecobee,NOT-A-WORD,2024-09-01T18:00:00Z,2024-09-01T18:40:00Z,',
    ),
  )
  await pipeline.until('event-outcome.SITE1.OUT-1', 'dead')
  await eventually(() => derms.received.length >= 4)
  derms.failNext({ status: 503 })
  await pipeline.postFile(
    'event-outcome',
    { ...examples['event-outcome'], messageId: 'OUT-2' },
    csv(outcomeHeader, '1,1301,1315,NIC-0001,NEST,SUCCESS,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z,'),
  )
  const settled = await pipeline.until('event-outcome.SITE1.OUT-2', 'succeeded')
  await pipeline.until(settled.acknowledgment ?? '', 'dead')
  await untilMailed(pipeline)
}

/** Messages that wait, are tried again, or are being called for at this moment. */
async function leaveOpen(): Promise<DumpedKey[]> {
  await using pipeline = await startPipeline({ ...installationOf(name), redisUrl: redis.url })
  const { dacs, derms } = pipeline
  dacs.failNext({ status: 503, times: 1_000, containing: stories.retryingStage })
  dacs.stallNext({ ms: 60_000, containing: stories.calledStage })
  dacs.failNext({ status: 503, times: 1_000, containing: 'ENR-4' })
  derms.failNext({ status: 503, times: 1_000, containing: stories.retryingSync })
  const left = new AbortController()
  const leave = (posting: Promise<unknown>) => void posting.catch(() => undefined)
  const options = { signal: left.signal }
  leave(pipeline.post('stage-status', stage(stories.retryingStage, 'STG-3001-1'), options))
  await pipeline.until('stage-status.SITE1.STG-3001-1', 'retrying')
  const cancel = stage(stories.retryingStage, 'STG-3001-2', { stageStatus: 'CANCELED' })
  leave(pipeline.post('stage-status', cancel, options))
  leave(pipeline.post('stage-status', stage(stories.calledStage, 'STG-3002-1'), options))
  leave(
    pipeline.post(
      'enrollment-request',
      enrollmentRequest(enrollmentRecord('ENR-3'), enrollmentRecord('ENR-4')),
      options,
    ),
  )
  const subscriptionInfo = { subscriptionId: 'SUBSCRIBED' }
  leave(pipeline.post('enrollment-sync', enrollmentSync(stories.retryingSync, { subscriptionInfo }), options))
  await pipeline.until(`enrollment-sync.dacs.${stories.retryingSync}`, 'retrying')
  leave(pipeline.post('enrollment-sync', enrollmentSync(stories.waitingSync, { subscriptionInfo }), options))
  await pipeline.postFile(
    'event-reservation',
    { ...examples['event-reservation'], messageId: 'RSV-2', stageId: stories.retryingStage },
    csv(reservationHeader, '1,NIC-0003,NEST,2024-09-01T18:00:00Z,2024-09-01T20:00:00Z'),
  )
  await pipeline.until('stage-status.SITE1.STG-3001-2', 'waiting')
  await pipeline.until(`enrollment-sync.dacs.${stories.waitingSync}`, 'waiting')
  await pipeline.until('stage-status.SITE1.STG-3002-1', 'processing')
  await eventually(() => dacs.received.some(({ body }) => JSON.stringify(body).includes(stories.calledStage)))
  await pipeline.until('stage-status.SITE1.STG-3001-1', 'retrying')
  const dumped = await dump(pipeline)
  left.abort()
  dacs.heal()
  derms.heal()
  return dumped
}

async function untilMailed({ journal }: Pipeline): Promise<void> {
  await eventually(async () => (await journal.redis.zcard(`${journal.base}:o:notification`)) === 0)
}

async function dump({ journal }: Pipeline): Promise<DumpedKey[]> {
  const keys = (await keysMatching(journal.redis, `{${name}}:*`)).sort()
  const found = await Promise.all(
    keys.map(async (key) => ({
      key,
      dump: ((await journal.redis.dumpBuffer(key)) ?? Buffer.alloc(0)).toString('base64'),
      ttlMs: Math.max(0, await journal.redis.pttl(key)),
    })),
  )
  return found.filter(({ dump }) => dump !== '')
}
