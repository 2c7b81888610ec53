import { type FlowId, flowSpec, inboundFlowIds } from '@tieline/contracts/flows'
import { z } from 'zod'
import { whole } from './installation-fields.ts'

/** Flows that an installation may already name, although nothing runs them yet. */
const announcedFlowIds = ['event-reservation', 'event-outcome'] as const

/** Flows that a client can be given a right to. */
export const grantableFlowIds = [...inboundFlowIds, ...announcedFlowIds] as const

const retryForS = (id: FlowId | undefined) =>
  whole(0, 604_800)
    .optional()
    .describe(`Keep trying for this many seconds after the first failure${catalogueSays(id, 'retryForS')}.`)

const accepted = (id?: FlowId) => z.strictObject({ retryForS: retryForS(id) })

const awaited = (id: FlowId) =>
  accepted(id).extend({
    replyWithinS: whole(1, 240)
      .optional()
      .describe(
        `Answer provisionally when the message has not settled after this many seconds${catalogueSays(id, 'replyWithinS')}.`,
      ),
  })

const segmentRows = whole(1, 2_000).optional().describe('Rows of the file that go to DACS in one call.')

function catalogueSays(id: FlowId | undefined, number: 'retryForS' | 'replyWithinS'): string {
  if (id === undefined) return ''
  const { retry, replyWithinS } = flowSpec(id)
  return `; the catalogue says ${number === 'retryForS' ? retry.retryForS : replyWithinS}`
}

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
    'event-reservation': accepted().extend({ segmentRows }).optional(),
    'stage-status': awaited('stage-status').optional(),
    'event-outcome': accepted().extend({ segmentRows }).optional(),
    notification: accepted('notification').optional(),
  } satisfies Record<FlowId | (typeof announcedFlowIds)[number], z.ZodType>)
  .prefault({})
  .describe('Overrides of the flow catalogue, by flow id.')
