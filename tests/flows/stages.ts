import { examples } from '@tieline/contracts/examples'
import type { AckType } from '@tieline/contracts/msg-ack'
import type { Mail } from '@tieline/simulators/mailbox'
import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { type Pipeline, type PipelineOptions, type PostOptions, startPipeline } from '@tieline/testkit/pipeline'
import { expect, inject } from 'vitest'

/** Stage 1315 of event 1301 is scheduled, and canceled. */
export const scheduled = examples['stage-status']
export const canceled = examples['stage-status.cancel']

/** What DACS gets for them. */
export const creation = examples['stage-status.to-dacs']
export const cancellation = examples['stage-status.cancel-to-dacs']

export const keyOf = ({ messageId }: { messageId: string }) => `stage-status.SITE1.${messageId}`

/** The pipeline with the services that F7 needs, on an installation of its own. */
export const openPipeline = (options: Omit<PipelineOptions, 'redisUrl'> = {}): Promise<Pipeline> =>
  startPipeline({ services: ['events', 'notifier'], ...options, redisUrl: inject('redisUrl') })

/** The first technical failure ends the trying. */
export const withoutRetries = { sections: { flows: { 'stage-status': { retryForS: 0 } } } }

/** Sends a message as DERMS does. */
export async function send(pipeline: Pipeline, message: unknown, options?: PostOptions) {
  const { status, body } = await pipeline.post('stage-status', message, options)
  return { status, body }
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

/** The whole acknowledgment that DERMS gets for a message; without `value` there must be none. */
export const acknowledged = (ackType: AckType, { messageId: id }: { messageId: string }, value?: unknown) => ({
  status: 200,
  body: {
    MsgAck: {
      ackType,
      whenISO: time,
      responses: {
        response: [{ id, ...(value !== undefined && { value }), responseCode: ackType, responseTimeISO: time }],
      },
    },
  },
})

/** Every call that reached DACS, in order. */
export const calls = ({ dacs }: Pipeline) =>
  dacs.received.map(({ operation, body, answered }) => ({ operation, body, answered }))

/** Waits until DACS has got so many calls. */
export const reached = ({ dacs }: Pipeline, count: number) => eventually(() => dacs.received.length >= count)

/** Waits for the e-mail about a message. */
export const mailed = ({ mailbox }: Pipeline, code: string, { messageId }: { messageId: string }): Promise<Mail> =>
  eventually(() => mailbox.mails.find(({ subject }) => subject.endsWith(` ${code} ${messageId}`)))

/** E-mails become due in the step that settles their message, so none due then is none at all. */
export async function expectNoMail({ journal, mailbox }: Pipeline): Promise<void> {
  const due = await keysMatching(journal.redis, `${journal.base}:m:notification.*`)
  expect([...due, ...mailbox.mails]).toEqual([])
}
