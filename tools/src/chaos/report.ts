import { amountsOf } from './amounts.ts'
import type { Call, History, Recorded, Sent, Violation } from './history.ts'
import { intentsOfMessage, shownBy } from './intents.ts'
import { judges } from './judges.ts'
import { type Told, toldBy } from './told.ts'

export interface Verdict {
  readonly property: string
  readonly violations: readonly Violation[]
}

export const judge = (history: History): Verdict[] =>
  Object.entries(judges).map(([property, one]) => ({ property, violations: one(history) }))

/** What the run was made of, in a few lines. */
export function countsOf(history: History): string {
  const { sent, dacs, derms, messages, faults } = history
  const calls = [...dacs, ...derms]
  const entries = messages.flatMap(({ timeline }) => timeline)
  const told = (word: Told) => sent.filter((request) => toldBy(request) === word).length
  const others = {
    requests: sent.length,
    'told to come again': told('provisional'),
    'told superseded': told('superseded'),
    'not told': sent.filter(({ status }) => status === undefined).length,
    'calls at targets': calls.length,
    'answered 4xx/5xx': calls.filter(({ answered }) => typeof answered === 'number' && answered >= 400).length,
    'calls in doubt': entries.filter(({ state }) => state === 'unknown').length,
    'taken over': entries.filter(({ what, takenOver }) => what === 'attempt' && takenOver === true).length,
    dead: messages.filter(({ state }) => state === 'dead').length,
    'e-mails': messages.filter(({ flow }) => flow === 'notification').length,
    stopped: faults.filter(({ what }) => what.startsWith('SIGSTOP')).length,
    'disturbances of the network': faults.filter(({ what }) => what.startsWith('network')).length,
  }
  const amounts = amountsOf(history).map(({ what, count }) => `${what} ${count}`)
  const more = Object.entries(others).map(([what, count]) => `${what} ${count}`)
  return `${amounts.join(', ')}\n${more.join(', ')}`
}

/** A violation with the whole story of its messages, in order of time. */
export function storyOf({ what, keys }: Violation, history: History): string {
  const stories = keys.slice(0, 3).map((key) => storyOfMessage(key, history))
  return [`  ${what}`, ...stories, ...(keys.length > 3 ? [`  … and ${keys.length - 3} more messages`] : [])].join('\n')
}

function storyOfMessage(key: string, { sent, dacs, derms, messages, faults }: History): string {
  const message = messages.find((one) => one.key === key)
  const targets = new Set(message ? intentsOfMessage(message).map(({ target }) => target) : [])
  const calls = [...dacs, ...derms].filter((call) => shownBy(call).some(({ target }) => targets.has(target)))
  const own = [
    ...sent.filter((request) => request.key === key).flatMap(sentLines),
    ...calls.map(callLine),
    ...(message?.timeline ?? []).map(({ at, ...entry }) => ({ at, text: `journal   ${JSON.stringify(entry)}` })),
  ]
  const from = Math.min(...own.map(({ at }) => at)) - 1_000
  const until = Math.max(...own.map(({ at }) => at)) + 1_000
  const around = faults
    .filter(({ at, what }) => at >= from && at <= until && /SIG|redis|network/.test(what))
    .map(({ at, what }) => ({ at, text: `fault     ${what}` }))
  const lines = [...own, ...around].sort((a, b) => a.at - b.at)
  return [`    ${key} ${summaryOf(message)}`, ...lines.map(({ at, text }) => `      ${timeOf(at)} ${text}`)].join('\n')
}

const summaryOf = (message: Recorded | undefined) =>
  message
    ? `seq ${message.seq}, ${message.state} ${message.outcome ?? ''}, effects ${message.effects.map(({ id, state, tries }) => `${id} ${state} (${tries})`).join(', ')}`
    : 'not in the journal'

function sentLines(request: Sent) {
  const begun = { at: request.at, text: `caller    sends version ${request.version}` }
  if (request.answeredAt === undefined) return [{ ...begun, text: `${begun.text}, gets no answer` }]
  const told = `version ${request.version} is told ${request.status} ${toldBy(request)}`
  return [begun, { at: request.answeredAt, text: `caller    ${told}` }]
}

const callLine = (call: Call) => ({
  at: call.at,
  text: `target    ${targetsOf(call)}: answered ${call.answered}${call.applied ? ', applied' : ''}`,
})

function targetsOf(call: Call): string {
  const [first, ...others] = shownBy(call).map(({ target }) => target)
  return others.length === 0 ? String(first) : `${first} and ${others.length} more rows`
}

const timeOf = (at: number) => new Date(at).toISOString().slice(14, -1)
