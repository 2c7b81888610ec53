import { type FlowId, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import type { Call, History, Judge, Recorded, Sent, Violation } from './history.ts'
import { callsByTarget, type Intent, intentsOf, targetOf } from './intents.ts'
import { toldBy } from './told.ts'

const isInbound = (flow: FlowId): flow is InboundFlowId => inboundFlowIds.some((one) => one === flow)

/** What a message of the journal is meant to do at its target, by the payload that it ended with. */
export const intentsOfMessage = ({ flow, payload }: Pick<Recorded, 'flow' | 'payload'>): Intent[] =>
  isInbound(flow) ? intentsOf(flow, payload) : []

/** (2) What a caller was told SUCCESS, and what the journal calls succeeded, has been applied at the target. */
export const noEffectIsLost: Judge = ({ sent, dacs, derms, messages }) => {
  const applied = callsByTarget([...dacs, ...derms].filter((call) => call.applied))
  const isApplied = ({ target, mark }: Intent) =>
    (applied.get(target) ?? []).some((call) => mark === undefined || targetOf(call).mark === mark)
  const missing = (intents: readonly Intent[]) => intents.filter((intent) => !isApplied(intent)).map(describe)

  const told = sent.flatMap((request) =>
    violation(request.key, 'its caller was told SUCCESS', missing(promisedBy(request))),
  )
  const kept = messages
    .filter(({ state }) => state === 'succeeded')
    .flatMap((message) => violation(message.key, 'the journal says succeeded', missing(intentsOfMessage(message))))
  return [...told, ...kept]
}

const describe = ({ target, mark }: Intent) => (mark === undefined ? target : `${target} (${mark})`)

const violation = (key: string, who: string, missing: readonly string[]): Violation[] =>
  missing.length === 0 ? [] : [{ what: `${who}, and never applied: ${missing.join(', ')}`, keys: [key] }]

/** A list of records is answered record by record. */
function promisedBy(request: Sent): Intent[] {
  const intents = intentsOf(request.flow, request.body)
  if (request.flow !== 'enrollment-request') return toldBy(request) === 'SUCCESS' ? intents : []
  const good = new Set(
    (readMsgAck(request.reply)?.responses ?? []).filter((one) => one.responseCode === 'SUCCESS').map(({ id }) => id),
  )
  return intents.filter(({ record }) => record !== undefined && good.has(record))
}

/** Targets that know a repeat by its key. */
const keyed = ['enrollProgram', 'createProgramEvent']

/** (3) None is applied twice where the target knows a repeat; every call but the first follows a journaled doubt or failure. */
export const noneIsAppliedTwice: Judge = (history) => [
  ...[...callsByTarget(history.dacs)]
    .filter(
      ([target, calls]) =>
        keyed.includes(target.split(' ')[0] ?? '') && calls.filter(({ applied }) => applied).length > 1,
    )
    .map(([target]) => ({ what: `applied twice: ${target}`, keys: keysOf(target, history) })),
  ...[...callsByTarget([...history.dacs, ...history.derms])].flatMap(([target, calls]) =>
    unlicensed(target, calls, history),
  ),
]

function keysOf(target: string, { messages }: History): string[] {
  return messages
    .filter((message) => intentsOfMessage(message).some((one) => one.target === target))
    .map(({ key }) => key)
}

function unlicensed(target: string, calls: readonly Call[], history: History): Violation[] {
  const keys = keysOf(target, history)
  const owners = history.messages.filter(({ key }) => keys.includes(key))
  const licences = owners.flatMap((message) =>
    intentsOfMessage(message)
      .filter((one) => one.target === target)
      .flatMap(({ effect }) => [message.firstAcceptedAt, ...licencesOf(message, effect, history)]),
  )
  const at = calls.findIndex((call, i) => licences.filter((time) => time <= call.at).length < i + 1)
  if (at === -1) return []
  return [{ what: `call ${at + 1} of ${target} without a journaled doubt about the one before`, keys }]
}

/**
 * When another call of an effect became right: the one before is journaled as failed or unknown, or a new generation does
 * anew what was refused, what belonged to another payload, or what had been acknowledged.
 */
function licencesOf(message: Recorded, effect: string, { messages }: History): number[] {
  const times: number[] = []
  let last = ''
  for (const entry of message.timeline) {
    if (entry.what === 'called' && entry.effect === effect) {
      last = String(entry.state)
      if (last === 'failed' || last === 'unknown') times.push(entry.at)
    } else if (entry.what === 'effect' && entry.effect === effect && entry.state === 'unknown') {
      last = 'unknown'
      times.push(entry.at)
    } else if (entry.what === 'accepted' && Number(entry.generation) > 1) {
      // A call of the superseded generation may be on its way without a word in the journal.
      const anew =
        entry.changed === true || (last !== '' && (last === 'refused' || isAnswered(message, messages, entry.at)))
      if (anew) {
        times.push(entry.at)
        last = ''
      }
    }
  }
  return times
}

const answerOf: Partial<Record<FlowId, FlowId>> = {
  'enrollment-sync': 'enrollment-sync-ack',
  'device-status-check': 'device-status-ack',
}

/** The acknowledgment of the message has come: its sender may have it done again. */
const isAnswered = ({ flow, id }: Recorded, messages: readonly Recorded[], at: number): boolean =>
  messages.some((other) => other.flow === answerOf[flow] && other.id === id && other.firstAcceptedAt <= at)
