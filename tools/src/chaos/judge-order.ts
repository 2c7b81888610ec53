import type { Call, History, Judge, Recorded, Violation } from './history.ts'
import { intentsOfMessage, shownBy } from './intents.ts'

/** (6) Calls of one line arrive in the order in which its messages were first accepted: stages at DACS, subscriptions at DERMS. */
export const orderIsKept: Judge = (history) => [
  ...linesOf('stage-status', history).flatMap((line) => judgeLine(line, history.dacs)),
  ...linesOf('enrollment-sync', history).flatMap((line) => judgeLine(line, history.derms)),
]

const linesOf = (flow: Recorded['flow'], { messages }: History): Recorded[][] => [
  ...Map.groupBy(
    messages.filter((message) => message.flow === flow && message.line !== undefined),
    ({ line }) => line,
  ).values(),
]

function judgeLine(line: readonly Recorded[], calls: readonly Call[]): Violation[] {
  const owners = new Map(
    line.flatMap((message) => intentsOfMessage(message).map(({ target }) => [target, message] as const)),
  )
  let before: Recorded | undefined
  for (const call of calls) {
    const { target = '' } = shownBy(call)[0] ?? {}
    const owner = owners.get(target)
    if (owner === undefined || call.at >= sentAnewAt(owner)) continue
    if (before !== undefined && owner.seq < before.seq) {
      return [
        {
          what: `${target} arrived after a call of ${before.key}, which was accepted later`,
          keys: [owner.key, before.key],
        },
      ]
    }
    before = owner
  }
  return []
}

/** A sync that is sent again is done again, wherever its line stands by then; a stage status is refused as overtaken. */
const sentAnewAt = ({ flow, timeline }: Recorded): number =>
  (flow === 'enrollment-sync' &&
    timeline.find(({ what, generation }) => what === 'accepted' && Number(generation) > 1)?.at) ||
  Number.POSITIVE_INFINITY
