import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FlowId } from '@tieline/contracts/flows'
import { namedMax } from '@tieline/contracts/notice'
import { askingFirst } from '@tieline/runtime/ask-before-call'
import type { Alarm } from './alarms.ts'
import { enqueueDue, prepareDue } from './due-messages.ts'
import { type Ended, makeCall, readEffects } from './effects.ts'
import { findByTerms } from './find-by-term.ts'
import { collectMs } from './intake.ts'
import { dayMs, effectContext, faultsContext, type Journal, recordContext, replyContext, watchMs } from './journal.ts'
import { storeIndex } from './keep-index.ts'
import { saysDown, windowContext } from './mail-windows.ts'
import { readPins } from './pins.ts'
import type { Run } from './queues.ts'
import { sealReason } from './reason.ts'
import { type Blob, isPassing, type ScriptName } from './scripts.ts'
import { openPayload } from './stored-payload.ts'
import type { Attempt, AttemptFile, EffectCall, EffectResult, Settlement } from './types.ts'
import type { WorkerMetrics } from './worker-metrics.ts'

/** The attempt must not write any more: `superseded` by a newer payload, `stale` because another worker took over. */
export class AttemptLost extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(`The attempt lost its message: ${reason}`)
    this.name = 'AttemptLost'
    this.reason = reason
  }
}

/** Not a failure: the message goes on at `untilMs`. */
export class Postponed extends Error {
  readonly untilMs: number
  constructor(untilMs: number) {
    super('Postponed')
    this.name = 'Postponed'
    this.untilMs = untilMs
  }
}

/** What the take script tells about the message; see `lua/take.lua`. */
export interface Taken {
  readonly flow: FlowId
  readonly instance: string
  readonly id: string
  readonly client: string
  readonly generation: number
  readonly number: number
  readonly failures: number
  readonly failedSince: number
  /** Whether people were told of it in this generation, see `Alarm`. */
  readonly alarmed: boolean
  readonly denied: boolean
  readonly division: string
  readonly acceptedAt: number
  readonly payloadRef: string
  /** A later message of the line was answered before this repeat could run. */
  readonly overtaken: boolean
  /** Absent: the message has no file. Empty: it is no longer kept. */
  readonly fileRef?: string
  readonly fileName?: string
  readonly fileBytes: number
  readonly fileSha256?: string
  /** `traceparent` of what brought the message here. */
  readonly trace?: string
  /** Choices of attempts before, as JSON; only the attempt that holds the message adds to them. */
  readonly pins?: string
  readonly keptPins?: string
}

export interface AttemptHandle {
  readonly journal: Journal
  readonly key: string
  readonly run: string
  readonly token: string
  readonly taken: Taken
  readonly signal: AbortSignal
  readonly metrics: WorkerMetrics
  /** For so long after it was asked for, the right to make a call is relied on. */
  readonly freshMs: number
}

export interface OpenAttempt extends Attempt {
  /** Ends the generation. `made` is BullMQ's count of the job's filed failures, see `lua/take.lua`. */
  settle(settlement: Settlement, made: number): Promise<void>
  /** Ends the attempt; with an error code it counts as a failure. */
  retryAt(untilMs: number, code?: string, alarm?: Alarm): Promise<void>
}

export function createAttempt(handle: AttemptHandle, payload: unknown): OpenAttempt {
  const { journal, key, run, token, taken, signal, metrics, freshMs } = handle
  const { flow } = taken
  // So long the line of the message knows that the target answered it.
  const retentionMs = journal.retention.messagesDays * dayMs
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

  const keepOutcome = (effect: string, call: string, quiet: boolean, { kept, error: _, ...outcome }: Ended) => {
    const value = kept?.value
    const result =
      value === undefined ? undefined : journal.sealer.seal(JSON.stringify(value), effectContext(key, effect))
    const down = saysDown({ ...outcome, httpStatus: outcome.status })
    return fencedOk('outcome', { effect, call, quiet, ...outcome, down, result, retentionMs })
  }

  async function effect<Result>(id: string, intended: EffectCall<Result>): Promise<EffectResult<Result>> {
    if (signal.aborted) throw new Postponed(journal.clock())
    const call = randomUUID()
    const { operation, connection, quiet = false } = intended
    const begin = () => fencedJson<Begun>('begin', { effect: id, call, operation, connection, quiet, retentionMs })
    let askedAt = performance.now()
    const begun = await begin()
    if (begun.kind === 'kept') {
      const kept = begun.result && JSON.parse(journal.sealer.open(begun.result, effectContext(key, id)))
      return { state: begun.state, result: kept as Result }
    }

    if (begun.unknown) metrics.repeats.inc({ flow, connection })
    // Whoever waited or stood still for long may have lost the message to a worker whose calls must not be followed by this one.
    const askAgain = async () => {
      do {
        askedAt = performance.now()
        await begin()
      } while (performance.now() - askedAt > freshMs)
    }
    const mayCall = () => (performance.now() - askedAt > freshMs ? askAgain() : undefined)
    await mayCall()
    const ended = await makeCall({ ...intended, call: () => askingFirst(mayCall, intended.call) }, begun.unknown)
    metrics.effects.inc({ flow, connection, state: ended.state })
    await keepOutcome(id, call, quiet, ended)
    if (ended.error) throw ended.error
    return { state: ended.state === 'confirmed' ? 'confirmed' : 'refused', result: ended.kept?.value as Result }
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
    effect,

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

type Begun =
  | { kind: 'kept'; state: 'confirmed' | 'refused'; result?: string }
  | { kind: 'send'; unknown: boolean; tries: number }

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
