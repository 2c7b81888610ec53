import { readMsgAck } from '@tieline/contracts/msg-ack'
import type { Found, History, Judge, Put, Sent, Violation } from './history.ts'
import { callsByTarget, type Intent, intentsOf, intentsOfMessage, scoreTarget } from './intents.ts'
import { toldBy } from './told.ts'

/**
 * (2) What a caller was told SUCCESS, and what the journal calls succeeded, has been applied at the target. Score files are
 * there to the end, and those that are called sent were taken.
 */
export const noEffectIsLost: Judge = (history) => {
  const { sent, dacs, derms, messages } = history
  const applied = callsByTarget([...dacs, ...derms].filter((call) => call.applied))
  const isApplied = ({ target, mark }: Intent) =>
    (applied.get(target) ?? []).some((hit) => mark === undefined || hit.mark === mark)
  const missing = (intents: readonly Intent[]) => intents.filter((intent) => !isApplied(intent)).map(describe)

  const told = sent.flatMap((request) =>
    violation(request.key, 'its caller was told SUCCESS', missing(promisedBy(request))),
  )
  const kept = messages
    .filter(({ state }) => state === 'succeeded')
    .flatMap((message) => violation(message.key, 'the journal says succeeded', missing(intentsOfMessage(message))))
  return [...told, ...kept, ...lostFiles(history, applied)]
}

const describe = ({ target, mark }: Intent) => (mark === undefined ? target : `${target} (${mark})`)

const violation = (key: string, who: string, missing: readonly string[]): Violation[] =>
  missing.length === 0 ? [] : [{ what: `${who}, and never applied: ${missing.join(', ')}`, keys: [key] }]

/** A list of records is answered record by record. */
function promisedBy(request: Sent): Intent[] {
  const intents = intentsOf(request.flow, request.body, request.content)
  if (request.flow !== 'enrollment-request') return toldBy(request) === 'SUCCESS' ? intents : []
  const good = new Set(
    (readMsgAck(request.reply)?.responses ?? []).filter((one) => one.responseCode === 'SUCCESS').map(({ id }) => id),
  )
  return intents.filter(({ record }) => record !== undefined && good.has(record))
}

function lostFiles({ puts, found }: History, applied: ReadonlyMap<string, unknown>): Violation[] {
  return puts.flatMap((put) => {
    const copies = found.filter((one) => isCopy(one, put))
    const [copy] = copies
    const isTaken = applied.has(scoreTarget(put.name, put.sha256))
    const faults = [
      ...(copies.length === 1 ? [] : [`is there ${copies.length} times in the end`]),
      ...(copy?.name.startsWith('Sent-') && !isTaken ? ['is called sent, and DERMS never took it'] : []),
    ]
    return faults.map((fault) => ({
      what: `the score file ${put.name} (${put.effect}) ${fault}`,
      keys: [put.transfer],
    }))
  })
}

const isCopy = ({ transfer, sha256 }: Found, put: Put) => transfer === put.transfer && sha256 === put.sha256
