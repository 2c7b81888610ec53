import type { Call, History, Judge, Recorded, Violation } from './history.ts'
import { intentsOfMessage, shownBy } from './intents.ts'
import { answeredAt } from './judge-resubmissions.ts'

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
  const called = new Set<Recorded>()
  for (const call of calls) {
    const { target = '' } = shownBy(call)[0] ?? {}
    const owner = owners.get(target)
    if (owner === undefined || isFree(owner, call)) continue
    const overtaken = [...called].find(({ seq }) => seq > owner.seq)
    if (overtaken !== undefined && !mayFollow(owner, overtaken, call)) {
      return [
        {
          what: `${target} arrived after a call of ${overtaken.key}, which was accepted later`,
          keys: [owner.key, overtaken.key],
        },
      ]
    }
    called.add(owner)
  }
  return []
}

/** A sync that is sent again is done again, wherever its line stands by then. */
const isFree = (owner: Recorded, call: Call): boolean =>
  owner.flow === 'enrollment-sync' && begunAnewAt(owner) <= call.at

/** A stage status that is sent again or resubmitted is done as long as nobody knows that the target has answered a later one. */
const mayFollow = (owner: Recorded, later: Recorded, call: Call): boolean =>
  begunAnewAt(owner) <= call.at && answeredAt(later) > call.at

const begunAnewAt = ({ timeline }: Recorded): number =>
  timeline.find(({ generation, what }) => what !== 'resolved' && Number(generation) > 1)?.at ?? Number.POSITIVE_INFINITY
