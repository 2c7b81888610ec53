import { readFileSync } from 'node:fs'
import { examples } from '@tieline/contracts/examples'
import type { FileFlowId } from '@tieline/contracts/flows'
import type { MessageDetails } from '@tieline/journal/operations'
import type { OutboundMessage } from '@tieline/simulators/outbound-messages'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, type PipelineOptions, startPipeline } from '@tieline/testkit/pipeline'
import { inject } from 'vitest'

/** Stage 1315 of event 1301: its devices are reserved, and their outcomes come back. */
export const reservation = examples['event-reservation']
export const outcome = examples['event-outcome']

const exampleFile = (flow: FileFlowId) =>
  readFileSync(new URL(`../../packages/contracts/examples/${flow}.csv`, import.meta.url), 'utf8')

export const reservationCsv = exampleFile('event-reservation')
export const outcomeCsv = exampleFile('event-outcome')

/** The pipeline with the services that event files need; stage 1315 exists in DACS. */
export async function openPipeline(options: Omit<PipelineOptions, 'redisUrl'> = {}): Promise<Pipeline> {
  const pipeline = await startPipeline({ services: ['events', 'notifier'], ...options, redisUrl: inject('redisUrl') })
  await pipeline.post('stage-status', examples['stage-status'])
  return pipeline
}

export const keyOf = (flow: FileFlowId, { messageId }: { messageId: string }) => `${flow}.SITE1.${messageId}`

/** Sends a file as DERMS does, with its retries, and waits until DERMS knows how it ended. */
export async function sendFile(
  { derms }: Pipeline,
  flow: FileFlowId,
  body: unknown,
  content: string | Uint8Array,
): Promise<OutboundMessage> {
  const row = await derms.sendFile(flow, body, { name: 'devices.csv', content })
  return derms.whenDone(row.id)
}

/** What DERMS was told by call-back, one line an acknowledgment. */
export const acksOf = ({ acks }: OutboundMessage): string[] =>
  acks.map(({ ackType, responses: { response } }) => `${ackType} ${response[0]?.id}: ${response[0]?.value}`)

/** A reservation file of so many devices; `row` may change one of them. */
export const reservationOf = (rows: number, row: (n: number) => string | undefined = () => undefined): string =>
  `nicId,headEndSystemId\n${Array.from({ length: rows }, (_, i) => row(i + 1) ?? `NIC-${i + 1},NEST`).join('\n')}\n`

export const outcomeOf = (rows: number, row: (n: number) => string | undefined = () => undefined): string =>
  `stageId,nicId,headEndSystemId,outcome\n${Array.from({ length: rows }, (_, i) => row(i + 1) ?? `1315,NIC-${i + 1},NEST,SUCCESS`).join('\n')}\n`

/** How many devices each call of an operation carried, in order of arrival. */
export const segmentsOf = ({ dacs }: Pipeline, operation: 'reserveDevice' | 'postEventOutcome'): number[] =>
  dacs.received
    .filter((call) => call.operation === operation)
    .map(({ body }) => Object.values(body as Record<string, unknown>).find(Array.isArray)?.length ?? 0)

/** The time line's last count of rows. */
export const rowsOf = ({ timeline }: MessageDetails) => {
  const { at: _at, what: _what, ...counts } = timeline.findLast(({ what }) => what === 'rows') ?? { at: 0, what: '' }
  return counts
}

/** Subjects of the mails about a message, without their first part, once there are so many. */
export async function subjectsAbout({ mailbox }: Pipeline, messageId: string, count: number): Promise<string[]> {
  const about = () => mailbox.mails.filter(({ subject }) => subject.endsWith(` ${messageId}`))
  await eventually(() => about().length >= count)
  return about()
    .map(({ subject }) => subject.replace(/^\[[^\]]*\] /, ''))
    .sort()
}
