import type { FlowId } from '@tieline/contracts/flows'
import { ackOperations } from './ack-desk.ts'
import type { Call, History, Judge, Put, Recorded, Violation } from './history.ts'
import { callsByTarget, findOwners, type Owner, scoreTarget, shownBy } from './intents.ts'

/** Operations of which the target knows a repeat by its key. */
const keyed = ['enrollProgram', 'createProgramEvent']

const isAck = ({ operation }: Call): boolean => Object.values<string>(ackOperations).includes(operation)

/** (3) None is applied twice where the target knows a repeat; every call but the first follows a journaled doubt or failure. */
export const noneIsAppliedTwice: Judge = (history) => {
  const calls = [...history.dacs, ...history.derms].filter((call) => !isAck(call))
  return [...appliedTwice(history), ...unlicensedCalls(calls, history)]
}

/** Acknowledgments that were sent again without a journaled doubt about the one before. */
export const unlicensedAcks = (history: History): Violation[] => unlicensedCalls(history.derms.filter(isAck), history)

const appliedTwice = (history: History): Violation[] =>
  [...callsByTarget(history.dacs.filter(({ applied, operation }) => applied && keyed.includes(operation)))]
    .filter(([, calls]) => calls.length > 1)
    .map(([target]) => ({ what: `applied twice: ${target}`, keys: keysOf(findOwners(history, target)) }))

const keysOf = (owners: readonly Owner[]) => owners.map(({ message }) => message.key)

/** The rows of a call stay together, so the first one stands for them all. */
function unlicensedCalls(calls: readonly Call[], history: History): Violation[] {
  const byEffect = Map.groupBy(calls, (call) => shownBy(call)[0]?.target)
  return [...byEffect].flatMap(([target, own]) => (target === undefined ? [] : unlicensed(target, own, history)))
}

function unlicensed(target: string, calls: readonly Call[], history: History): Violation[] {
  const put = history.puts.find((one) => scoreTarget(one.name, one.sha256) === target)
  if (put) return judgeByTimeline(target, calls, [put.transfer], licencesOfFile(put, history))
  const owners = findOwners(history, target)
  const [owner] = owners
  if (owner?.intent.effect.startsWith('rows.')) return judgeByCounts(target, calls, owner)
  const licences = owners.flatMap(({ message, intent }) => [
    message.firstAcceptedAt,
    ...licencesOf(message, intent.effect, history),
  ])
  return judgeByTimeline(target, calls, keysOf(owners), licences)
}

function judgeByTimeline(
  target: string,
  calls: readonly Call[],
  keys: readonly string[],
  licences: readonly number[],
): Violation[] {
  const at = calls.findIndex((call, i) => licences.filter((time) => time <= call.at).length < i + 1)
  if (at === -1) return []
  if (keys.length === 0) return [{ what: `${target}, which no message means to have`, keys }]
  return [{ what: `call ${at + 1} of ${target} without a journaled doubt about the one before`, keys }]
}

const licencesOfFile = (put: Put, history: History): number[] => {
  const transfer = history.messages.find(({ key }) => key === put.transfer)
  return [put.at, ...(transfer ? licencesOf(transfer, put.effect, history) : [])]
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
        entry.changed === true ||
        (last !== '' && (last === 'refused' || isSentAnew(message) || isAnswered(message, messages, entry.at)))
      if (anew) {
        times.push(entry.at)
        last = ''
      }
    }
  }
  return times
}

/** The sender of a file sent it again and gets its acknowledgment once more. */
const isSentAnew = ({ flow }: Recorded): boolean => flow === 'acknowledgment'

const answerOf: Partial<Record<FlowId, FlowId>> = {
  'enrollment-sync': 'enrollment-sync-ack',
  'device-status-check': 'device-status-ack',
}

/** The acknowledgment of the message has come: its sender may have it done again. */
const isAnswered = ({ flow, id }: Recorded, messages: readonly Recorded[], at: number): boolean =>
  messages.some((other) => other.flow === answerOf[flow] && other.id === id && other.firstAcceptedAt <= at)

/** Answers after which the target has certainly not acted. */
const certain: readonly Call['answered'][] = [400, 404, 429]

/** Segments are not on the time line; the journal counts their calls, and those that followed a doubt. */
function judgeByCounts(target: string, calls: readonly Call[], { message, intent }: Owner): Violation[] {
  const changedAt = message.timeline.findLast(({ what, changed }) => what === 'accepted' && changed === true)?.at
  const own = calls.filter((call) => call.at >= (changedAt ?? 0) && shownBy(call)[0]?.mark === intent.mark)
  // One of the generation before may have been on its way, and the counts begin anew with a changed file.
  const foreign = changedAt === undefined ? 0 : 1
  const { tries = 0, repeats = 0 } = message.effects.find(({ id }) => id === intent.effect) ?? {}
  const doubted = own.slice(1).filter((_, i) => !certain.includes(own[i]?.answered ?? 'pending')).length
  const faults = [
    ...(own.length > tries + foreign ? [`${own.length} calls of ${target}, and the journal knows of ${tries}`] : []),
    ...(doubted > repeats + foreign ? [`${doubted} repeats of ${target}, and the journal doubted ${repeats}`] : []),
  ]
  return faults.map((what) => ({ what, keys: [message.key] }))
}
