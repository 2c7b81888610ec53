import { openPayload } from '../files/stored-payload.ts'
import { faultsContext, type Journal, replyContext } from '../journal.ts'
import { sealReason } from '../reason.ts'
import type { Taken } from '../script-calls.ts'
import type { Attempt, AttemptFile, Settlement } from '../types.ts'
import type { Alarm } from './alarms.ts'
import { type AttemptHandle, Postponed } from './attempt-handle.ts'
import { createCall } from './call.ts'
import { type DueMessage, dueBlobs, dueFields, enqueueDue, prepareDue } from './due-messages.ts'
import { readEffects } from './effects.ts'
import { createPen } from './pen.ts'
import { readPins } from './pins.ts'

export interface OpenAttempt extends Attempt {
  /** Ends the generation. `made` is BullMQ's count of the job's filed failures, see `lua/take.lua`. */
  settle(settlement: Settlement, made: number): Promise<void>
  /** Ends the attempt; with an error code it counts as a failure. */
  retryAt(untilMs: number, code?: string, alarm?: Alarm): Promise<void>
}

export function createAttempt(handle: AttemptHandle, payload: unknown): OpenAttempt {
  const { journal, key, taken, signal } = handle
  const pen = createPen(handle)
  /** The jobs of what becomes due go with the script, in one trip, once nothing else is under way before it. */
  const withDue = async <Answer>(due: readonly DueMessage[], write: () => Promise<Answer>): Promise<Answer> => {
    if (pen.isBusy()) await pen.flush()
    const [answer] = await Promise.all([write(), enqueueDue(journal, due)])
    return answer
  }
  const pins = { generation: readPins(taken.pins), kept: readPins(taken.keptPins) }
  return {
    journal,
    pen,
    key,
    flow: taken.flow,
    instance: taken.instance,
    client: taken.client,
    id: taken.id,
    generation: taken.generation,
    number: taken.number,
    payload,
    file: fileOf(journal, taken),
    division: taken.division || undefined,
    acceptedAt: taken.acceptedAt,
    failedSince: taken.failedSince,
    signal,
    call: createCall(handle, pen),

    async effects() {
      await pen.flush()
      return readEffects(journal, key)
    },

    async note(entry) {
      await pen.write('note', { entry })
    },

    async pin(name, choose, { keep = false } = {}) {
      const known = keep ? pins.kept : pins.generation
      const value = known[name] ?? (await choose())
      // Somebody may have chosen meanwhile: the first one wins.
      if (known[name] === undefined) pen.chose(keep ? 'keptPins' : 'pins', name, value)
      known[name] ??= value
      return known[name]
    },

    postpone(untilMs) {
      throw new Postponed(untilMs)
    },

    async settle(settlement, made) {
      const due = prepareDue(journal, { key, ...taken }, settlement)
      const { reply, state, outcome, code, rows, files, faults, reason, terms = [] } = settlement
      const sealed = reply ? journal.sealer.seal(JSON.stringify(reply), replyContext(key)) : ''
      const named = {
        state,
        outcome,
        code,
        made,
        terms: terms.map((term) => term.toLowerCase()),
        ...(rows && { rows: JSON.stringify(rows) }),
        ...(files && { files: JSON.stringify(files) }),
        ...(faults && { faults: journal.sealer.seal(JSON.stringify(faults), faultsContext(key)) }),
        ...(reason !== undefined && { reason: sealReason(journal, key, reason) }),
        ...dueFields(due),
      }
      const { moved, acknowledged } = await withDue(due, () => pen.write('settle', named, dueBlobs(due, sealed)))
      await enqueueDue(journal, [], moved)
      const lag = acknowledged && acknowledged.afterMs / 1_000
      if (acknowledged) handle.metrics.acknowledgmentLag.observe({ flow: acknowledged.flow }, lag ?? 0)
    },

    async retryAt(nextAt, code, alarm) {
      const notices = alarm ? [alarm.notice] : []
      // The end of the generation may be told with the same code.
      const due = prepareDue(journal, { key, ...taken }, { notices }, `${taken.generation}#${alarm?.mark}`)
      const named = { nextAt, code, mark: alarm?.mark, ...dueFields(due) }
      const { moved } = await withDue(due, () => pen.write('retry', named, dueBlobs(due)))
      await enqueueDue(journal, [], moved)
    },
  }
}

function fileOf(journal: Journal, taken: Taken): AttemptFile | undefined {
  const { fileRef, fileName = '', fileBytes, fileSha256 = '' } = taken
  if (fileRef === undefined) return undefined
  return { name: fileName, bytes: fileBytes, sha256: fileSha256, open: () => openPayload(journal, fileRef) }
}
