import { type Generation, generationsOf } from './generations.ts'
import type { Judge, Recorded, Sent, Violation } from './history.ts'
import { isTerminal, type Told, toldBy, withoutTimes } from './told.ts'

/** Clocks of different processes read in the same millisecond may be told in another order. */
const toleranceMs = 50

/**
 * (4) What callers are told of one generation agrees with each other and with the journal; a superseded generation tells
 * nothing; each end of a generation follows an attempt of its own.
 */
export const repliesAgree: Judge = ({ sent, messages, bulks }) => {
  const asked = new Set(bulks.flatMap(({ keys }) => keys))
  const requests = Map.groupBy(sent, ({ key }) => key)
  return messages.flatMap((message) => {
    const own = requests.get(message.key) ?? []
    const generations = generationsOf(message, own)
    return [...endsWithoutAttempt(message, generations, asked), ...judgeReplies(message.key, generations, own)]
  })
}

/** @param asked what somebody resubmitted */
function endsWithoutAttempt(
  { key, timeline }: Recorded,
  generations: readonly Generation[],
  asked: ReadonlySet<string>,
): Violation[] {
  const foreign = generations.filter(({ settled, attempts }) => settled !== undefined && attempts === 0)
  const twice = doubleEnds(timeline.map(({ what }) => what))
  const unasked = asked.has(key) ? [] : timeline.filter(({ what }) => what === 'resubmitted' || what === 'rerun')
  return [
    ...foreign.map(({ number }) => ({
      what: `generation ${number} settled without an attempt of its own`,
      keys: [key],
    })),
    ...(twice ? [{ what: 'one generation settled twice', keys: [key] }] : []),
    ...unasked.map(({ what }) => ({ what: `${what}, and nobody asked for it`, keys: [key] })),
  ]
}

function doubleEnds(story: readonly string[]): boolean {
  const marks = story.filter((what) => ['accepted', 'settled', 'resubmitted', 'rerun'].includes(what))
  return marks.some((what, i) => what === 'settled' && marks[i + 1] === 'settled')
}

function judgeReplies(key: string, generations: readonly Generation[], own: readonly Sent[]): Violation[] {
  const heard = new Map<Generation, Set<string>>()
  const faults: string[] = []
  for (const request of own) {
    const told = toldBy(request)
    if (!isTerminal(told)) continue
    const possible = generations.filter((one) => couldTell(one, generations, request))
    const agreeing = possible.filter((one) => agrees(told, one, request))
    const [only] = agreeing
    if (only === undefined) faults.push(`told ${told} at ${at(request)}, which no generation says that could`)
    else if (possible.length === 1) heard.set(only, (heard.get(only) ?? new Set()).add(withoutTimes(request.reply)))
  }
  for (const [{ number }, replies] of heard) {
    if (replies.size > 1)
      faults.push(`callers of generation ${number} were told differently: ${[...replies].join(' | ')}`)
  }
  return faults.map((what) => ({ what, keys: [key] }))
}

const at = ({ answeredAt }: Sent) => (answeredAt === undefined ? 'no time' : new Date(answeredAt).toISOString())

/** It settled while the caller waited, or it is the last one before, and it succeeded: then its reply is told again. */
function couldTell({ settled, number }: Generation, generations: readonly Generation[], request: Sent): boolean {
  if (settled === undefined || settled.at > (request.answeredAt ?? 0) + toleranceMs) return false
  if (settled.at >= request.at - toleranceMs) return true
  const next = generations.find((one) => one.number > number)
  return settled.outcome === 'SUCCESS' && (next === undefined || next.acceptedAt >= request.at - toleranceMs)
}

function agrees(told: Told, { settled, version }: Generation, request: Sent): boolean {
  if (version !== undefined && version !== request.version) return false
  if (told === 'FAULT') return settled?.outcome !== 'SUCCESS'
  return settled?.outcome === told
}
