import { type FileFlowId, type FlowId, flowSpec } from '@tieline/contracts/flows'
import { z } from 'zod'
import { whole } from './installation-fields.ts'

const retryForS = (id: FlowId) =>
  whole(0, 604_800)
    .optional()
    .describe(`Keep trying for this many seconds after the first failure; the catalogue says ${retryOf(id)}.`)

const retryOf = (id: FlowId) => flowSpec(id).retry.retryForS

const tried = (id: FlowId) => z.strictObject({ retryForS: retryForS(id) })

const accepted = (id: FlowId) =>
  tried(id).extend({
    alarmAfterS: whole(0, 604_800)
      .optional()
      .describe(
        `Tell the administrators when a message has been failing for this many seconds and is still tried; the catalogue says ${flowSpec(id).retry.alarmAfterS}. As large as \`retryForS\`: never, but for a 401 or 403, which is told at once.`,
      ),
  })

const awaited = (id: FlowId) =>
  accepted(id).extend({
    replyWithinS: whole(1, 240)
      .optional()
      .describe(
        `Answer provisionally when the message has not settled after this many seconds; the catalogue says ${flowSpec(id).replyWithinS}.`,
      ),
  })

const file = (id: FileFlowId) =>
  accepted(id).extend({
    segmentRows: whole(1, 2_000)
      .optional()
      .describe(
        `Rows of the file that go to DACS in one call; the catalogue says ${flowSpec(id).segmentRows}. A message keeps the number that it began with, also when it is sent again.`,
      ),
  })

/** Section `flows`: numbers of the catalogue that an installation sets differently. */
export const flowsSection = z
  .strictObject({
    'enrollment-request': awaited('enrollment-request')
      .extend({
        recordConcurrency: whole(1, 32).default(1).describe('Records of one message that are sent at the same time.'),
      })
      .prefault({}),
    'enrollment-sync': awaited('enrollment-sync').optional(),
    'enrollment-sync-ack': accepted('enrollment-sync-ack').optional(),
    'device-status-check': awaited('device-status-check').optional(),
    'device-status-ack': awaited('device-status-ack').optional(),
    'event-reservation': file('event-reservation').optional(),
    'stage-status': awaited('stage-status').optional(),
    'event-outcome': file('event-outcome').optional(),
    'device-score': accepted('device-score').optional(),
    acknowledgment: accepted('acknowledgment').optional(),
    notification: tried('notification').optional(),
  } satisfies Record<FlowId, z.ZodType>)
  .prefault({})
  .describe('Overrides of the flow catalogue, by flow id.')
