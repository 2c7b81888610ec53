import type { Call, History, Recorded, Sent, Violation } from './history.ts'
import { targetOf } from './intents.ts'
import { intentsOfMessage } from './judge-effects.ts'
import { judges } from './judges.ts'
import { toldBy } from './told.ts'

export interface Verdict {
  readonly property: string
  readonly violations: readonly Violation[]
}

export const judge = (history: History): Verdict[] =>
  Object.entries(judges).map(([property, one]) => ({ property, violations: one(history) }))

/** What the run was made of, in one line. */
export function countsOf({ sent, dacs, derms, messages, faults }: History): string {
  const calls = [...dacs, ...derms]
  const entries = messages.flatMap(({ timeline }) => timeline)
  const signals = (word: string) => faults.filter(({ what }) => what.startsWith(word)).length
  const counts = {
    requests: sent.length,
    messages: messages.filter(({ flow }) => flow !== 'notification').length,
    'e-mails': messages.filter(({ flow }) => flow === 'notification').length,
    'target calls': calls.length,
    dropped: calls.filter(({ answered }) => answered === 'dropped').length,
    'answered 4xx/5xx': calls.filter(({ answered }) => typeof answered === 'number' && answered >= 400).length,
    'told to come again': sent.filter((request) => toldBy(request) === 'provisional').length,
    'told superseded': sent.filter((request) => toldBy(request) === 'superseded').length,
    'not told': sent.filter(({ status }) => status === undefined).length,
    'taken over': entries.filter(({ what, takenOver }) => what === 'attempt' && takenOver === true).length,
    'calls in doubt': entries.filter(({ state }) => state === 'unknown').length,
    dead: messages.filter(({ state }) => state === 'dead').length,
    'processes killed': signals('SIGKILL') - signals('SIGKILL redis'),
    'Redis killed': signals('SIGKILL redis'),
    stopped: signals('SIGSTOP'),
  }
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}

/** A violation with the whole story of its messages, in order of time. */
export function storyOf({ what, keys }: Violation, history: History): string {
  const stories = keys.slice(0, 3).map((key) => storyOfMessage(key, history))
  return [`  ${what}`, ...stories, ...(keys.length > 3 ? [`  … and ${keys.length - 3} more messages`] : [])].join('\n')
}

function storyOfMessage(key: string, { sent, dacs, derms, messages, faults }: History): string {
  const message = messages.find((one) => one.key === key)
  const targets = new Set(message ? intentsOfMessage(message).map(({ target }) => target) : [])
  const calls = [...dacs, ...derms].filter((call) => targets.has(targetOf(call).target))
  const own = [
    ...sent.filter((request) => request.key === key).flatMap(sentLines),
    ...calls.map(callLine),
    ...(message?.timeline ?? []).map(({ at, ...entry }) => ({ at, text: `journal   ${JSON.stringify(entry)}` })),
  ]
  const from = Math.min(...own.map(({ at }) => at)) - 1_000
  const until = Math.max(...own.map(({ at }) => at)) + 1_000
  const around = faults
    .filter(({ at, what }) => at >= from && at <= until && /SIG|redis/.test(what))
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
  text: `target    ${targetOf(call).target}: answered ${call.answered}${call.applied ? ', applied' : ''}`,
})

const timeOf = (at: number) => new Date(at).toISOString().slice(14, -1)
