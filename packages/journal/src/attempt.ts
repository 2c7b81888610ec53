import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FlowId } from '@tieline/contracts/flows'
import { namedMax } from '@tieline/contracts/notice'
import type { Alarm } from './alarms.ts'
import { type Begun, createCall } from './attempt-call.ts'
import { type AttemptHandle, AttemptLost, Postponed, type Taken } from './attempt-handle.ts'
import { enqueueDue, prepareDue } from './due-messages.ts'
import { readEffects } from './effects.ts'
import { findByTerms } from './find-by-term.ts'
import { collectMs } from './intake.ts'
import { faultsContext, type Journal, recordContext, replyContext, watchMs } from './journal.ts'
import { storeIndex } from './keep-index.ts'
import { windowContext } from './mail-windows.ts'
import { readPins } from './pins.ts'
import type { Run } from './queues.ts'
import { sealReason } from './reason.ts'
import { type Blob, isPassing, type ScriptName } from './scripts.ts'
import { openPayload } from './stored-payload.ts'
import type { Attempt, AttemptFile, Settlement } from './types.ts'

export interface OpenAttempt extends Attempt {
  /** Ends the generation. `made` is BullMQ's count of the job's filed failures, see `lua/take.lua`. */
  settle(settlement: Settlement, made: number): Promise<void>
  /** Ends the attempt; with an error code it counts as a failure. */
  retryAt(untilMs: number, code?: string, alarm?: Alarm): Promise<void>
}

export function createAttempt(handle: AttemptHandle, payload: unknown): OpenAttempt {
  const { journal, key, run, token, taken, signal, metrics } = handle
  const { flow } = taken
  const pins = { generation: readPins(taken.pins), kept: readPins(taken.keptPins) }

  const fenced = async (script: ScriptName, named: object, blobs?: readonly Blob[]) =>
    whilePassing(signal, () => journal.run(script, { key, run, token, now: journal.clock(), watchMs, ...named }, blobs))
  const fencedJson = async <Shape extends { kind: string }>(
    script: ScriptName,
    named: object,
    blobs?: readonly Blob[],
  ) => {
    const answer = JSON.parse(String(await fenced(script, named, blobs))) as Shape
    if (['gone', 'stale', 'superseded'].includes(answer.kind)) throw new AttemptLost(answer.kind)
    return answer
  }
  const fencedOk = async (script: ScriptName, named: object, blobs?: readonly Blob[]) => {
    const answer = String(await fenced(script, named, blobs))
    if (answer !== 'ok') throw new AttemptLost(answer)
  }

  return {
    key,
    flow,
    instance: taken.instance,
    client: taken.client,
    id: taken.id,
    generation: taken.generation,
    number: taken.number,
    payload,
    file: fileOf(journal, taken),
    division: taken.division === '' ? undefined : taken.division,
    acceptedAt: taken.acceptedAt,
    signal,
    call: createCall(handle, {
      begin: (named) => fencedJson<Begun>('begin', named),
      outcome: (named) => fencedOk('outcome', named),
    }),
    effects: () => readEffects(journal, key),
    async forget(effects) {
      for (let i = 0; i < effects.length; i += forgetAtOnce) {
        await fencedOk('forget', { effects: effects.slice(i, i + forgetAtOnce) })
      }
    },

    async record(field, value, { notices = [], forget } = {}) {
      const due = prepareDue(journal, { key, ...taken }, { notices })
      const sealed = journal.sealer.seal(JSON.stringify(value), recordContext(key, field))
      const blobs = [sealed, ...due.map((message) => message.sealed)]
      await fencedOk('record', { field, forget, due: due.map(({ fields }) => fields) }, blobs)
      await enqueueDue(journal, due)
    },
    async recorded() {
      const stored = await journal.redis.hgetall(`${journal.base}:r:${key}`)
      const open = (field: string, sealed: string): unknown =>
        JSON.parse(journal.sealer.open(sealed, recordContext(key, field)))
      return new Map(Object.entries(stored).map(([field, sealed]) => [field, open(field, sealed)]))
    },

    async keepIndex(chunks) {
      const reference = await storeIndex(journal, key, chunks)
      if (reference !== undefined) await fencedOk('keep-index', { reference })
      return reference !== undefined
    },

    note: (entry) => fencedOk('note', { entry }),
    reached: async (connection) => void (await journal.run('reached', { connection, now: journal.clock() })),

    async joinWindow({ id, entry, ...window }) {
      const sealed = journal.sealer.seal(JSON.stringify(entry), windowContext(id))
      const { kind } = await fencedJson<{ kind: 'opened' | 'joined' }>(
        'join-window',
        { ...window, window: id, namedMax },
        [sealed],
      )
      return kind
    },

    async pin(name, choose, { keep } = {}) {
      const known = keep ? pins.kept : pins.generation
      if (known[name] !== undefined) return known[name]
      const { value } = await fencedJson<{ kind: string; value: string }>('pin', { name, keep, value: await choose() })
      known[name] = value
      return value
    },

    postpone(untilMs) {
      throw new Postponed(untilMs)
    },

    async findMessages(wanted, term) {
      const [found = []] = await findByTerms(journal, wanted, [term])
      return found
    },

    async settle(settlement, made) {
      const due = prepareDue(journal, { key, ...taken }, settlement)
      const reply = settlement.reply ? journal.sealer.seal(JSON.stringify(settlement.reply), replyContext(key)) : ''
      const { state, outcome, code, rows, files, faults, reason } = settlement
      const named = {
        state,
        outcome,
        code,
        made,
        terms: (settlement.terms ?? []).map((term) => term.toLowerCase()),
        ...(rows && { rows: JSON.stringify(rows) }),
        ...(files && { files: JSON.stringify(files) }),
        ...(faults && { faults: journal.sealer.seal(JSON.stringify(faults), faultsContext(key)) }),
        ...(reason !== undefined && { reason: sealReason(journal, key, reason) }),
        due: due.map(({ fields }) => fields),
        nextRun: randomUUID(),
        collectMs,
      }
      const blobs = [reply, ...due.map(({ sealed }) => sealed)]
      const { moved, acknowledged } = await fencedJson<Settled>('settle', named, blobs)
      await enqueueDue(journal, due, moved)
      if (acknowledged) metrics.acknowledgmentLag.observe({ flow: acknowledged.flow }, acknowledged.afterMs / 1_000)
    },

    async retryAt(untilMs, code, alarm) {
      const notices = alarm ? [alarm.notice] : []
      // The end of the generation may be told with the same code.
      const due = prepareDue(journal, { key, ...taken }, { notices }, `${taken.generation}#${alarm?.mark}`)
      const fields = due.map((message) => message.fields)
      const named = { nextAt: untilMs, code, mark: alarm?.mark, due: fields, nextRun: randomUUID() }
      const { moved } = await fencedJson<Moved>('retry', named, ['', ...due.map(({ sealed }) => sealed)])
      await enqueueDue(journal, due, moved)
    },
  }
}

interface Moved {
  readonly kind: string
  /** Of another message of the line, whose turn it is. */
  readonly moved?: Run
}

interface Settled extends Moved {
  /** It was an acknowledgment, and the sender of the file has taken it for the first time. */
  readonly acknowledged?: { readonly flow: FlowId; readonly afterMs: number }
}

/** Redis bounds how many arguments one command of a script may have. */
const forgetAtOnce = 1_000

/** Redis being full or failing over is waited for: what a target answered must get into the journal. */
async function whilePassing<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error
      await delay(250)
    }
  }
}

function fileOf(journal: Journal, taken: Taken): AttemptFile | undefined {
  const { fileRef, fileName = '', fileBytes, fileSha256 = '' } = taken
  if (fileRef === undefined) return undefined
  return { name: fileName, bytes: fileBytes, sha256: fileSha256, open: () => openPayload(journal, fileRef) }
}
