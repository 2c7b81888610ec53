import type { MessageDetails } from '@tieline/journal/operations'
import type { FarSide } from '@tieline/simulators/far-side'
import type { Pipeline, Posted } from '@tieline/testkit/pipeline'

/** What a test sees of a pipeline, in the short form that it compares. */

export const told = ({ status, body }: Posted) => ({ status, body })

/** Bodies of the calls of one operation in the order of their arrival: a test begins with none, so there are no others. */
export const bodiesOf = (farSide: FarSide, operation: string): unknown[] =>
  farSide.received.filter((call) => call.operation === operation).map(({ body }) => body)

/** How a message stands, with the state of each of its effects. */
export const standOf = ({ state, outcome, code, generation, attempts, effects }: MessageDetails) => ({
  state,
  outcome,
  code,
  generation,
  attempts,
  effects: Object.fromEntries(effects.map((effect) => [effect.id, effect.state])),
})

/** What happened to a message, in one word each. */
export const storyOf = ({ timeline }: MessageDetails): string[] => timeline.map(({ what }) => what)

export interface SeenMail {
  readonly to: string
  /** Without the name of the installation, which every subject begins with. */
  readonly subject: string
  readonly connection: string | undefined
  readonly httpStatus: string | undefined
  readonly attempts: string | undefined
}

/** An e-mail to the administrators as it must be seen. */
export const errorMail = (
  subject: string,
  facts: { readonly connection?: string; readonly httpStatus?: string; readonly attempts: string },
): SeenMail => ({
  to: 'ops@utility.example, oncall@utility.example',
  subject,
  connection: undefined,
  httpStatus: undefined,
  ...facts,
})

/** The e-mails about a message, when all that its time line calls due have been sent. */
export async function mailsAbout(pipeline: Pipeline, { key, timeline }: MessageDetails): Promise<SeenMail[]> {
  const due = timeline.filter(({ what }) => what === 'notified')
  await Promise.all(due.map(({ notice }) => pipeline.until(String(notice), 'succeeded')))
  const { name, environment } = pipeline.settings.installation.installation
  const prefix = `[Tieline ${name}/${environment}] `
  return pipeline.mailbox.mails
    .filter(({ text }) => text.includes(`\nMessage: ${key}\n`))
    .map(({ to, subject, text }) => {
      const fact = (label: string) =>
        text
          .split('\n')
          .find((line) => line.startsWith(label))
          ?.slice(label.length)
      return {
        to: to.join(', '),
        subject: subject.startsWith(prefix) ? subject.slice(prefix.length) : `not from here: ${subject}`,
        connection: fact('Connection: '),
        httpStatus: fact('HTTP status: '),
        attempts: fact('Attempts: '),
      }
    })
}
