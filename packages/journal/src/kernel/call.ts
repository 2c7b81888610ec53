import { randomUUID } from 'node:crypto'
import type { CallResult, CallTarget, MayCall } from '@tieline/runtime/call-target'
import { CallError, never } from '@tieline/runtime/error'
import { effectContext } from '../journal.ts'
import { saysDown } from '../mail/windows.ts'
import type { Attempt, CallOptions } from '../types.ts'
import { type AttemptHandle, Postponed } from './attempt-handle.ts'
import type { Pen } from './pen.ts'

/** What is stored with an effect that ended for good, encrypted JSON. */
type Stored<Kept> = { readonly kept: Kept } | { readonly refusal: Refusal }

/** What it takes to fail as the target refused. */
type Refusal = Pick<CallError, 'message'> & Partial<Pick<CallError, 'code' | 'status' | 'farText'>>

/** How a call ended, for the journal. */
interface Ending extends Pick<CallResult, 'durationMs'> {
  readonly state: 'confirmed' | CallError['outcome']
  readonly status?: number | undefined
  readonly code?: CallError['code']
}

/** Intent, call, outcome: see `Attempt.call`. */
export function createCall(handle: AttemptHandle, pen: Pen): Attempt['call'] {
  const { journal, key, taken, metrics, freshMs, signal } = handle
  const { flow } = taken

  return async <Operation extends string, Request, Result extends CallResult, Kept>(
    id: string,
    target: CallTarget<Operation, Request, Result>,
    operation: Operation,
    request: Request,
    { keep, keepRefusal, applied, quiet = false }: CallOptions<Result, Kept> = {},
  ): Promise<Kept> => {
    if (signal.aborted) throw new Postponed(journal.clock())
    const connection = target.name
    const named = { effect: id, call: randomUUID(), quiet }
    const permission = createPermission(freshMs, () => pen.write('begin', { ...named, operation, connection }))
    const begun = await permission.given
    const context = effectContext(key, id)
    if (begun.kind === 'kept') {
      const json = begun.result && journal.sealer.open(begun.result, context)
      return readStored<Kept>(json ? JSON.parse(json) : undefined, { state: begun.state, connection })
    }
    if (begun.unknown) metrics.repeats.inc({ flow, connection })

    const write = ({ state, status, code, durationMs: ms }: Ending, stored: Stored<Kept> | undefined) => {
      metrics.effects.inc({ flow, connection, state })
      const result = stored && journal.sealer.seal(JSON.stringify(stored), context)
      const down = saysDown({ httpStatus: status, ...(code !== undefined && { code }) })
      pen.ended({ ...named, state, status, code, ms, down, result })
    }
    const confirm = ({ status, durationMs }: Omit<Ending, 'state' | 'code'>, kept: Kept): Kept => {
      write({ state: 'confirmed', status, durationMs }, kept === undefined ? undefined : { kept })
      return kept
    }
    const fail = (error: CallError): Kept => {
      const kept = applied?.(error)
      if (kept !== undefined) return confirm(error, kept)
      const failure = begun.unknown ? inDoubt(error, operation) : error
      const { outcome: state, status, code, durationMs } = failure
      const keptRefusal = state === 'refused' ? keepRefusal?.(failure) : undefined
      const stored = keptRefusal === undefined ? refusalOf(failure) : { kept: keptRefusal }
      write({ state, status, code, durationMs }, stored)
      if (keptRefusal !== undefined) return keptRefusal
      throw failure
    }

    let result: Result
    try {
      await permission.renew()
      result = await target.call(operation, request, permission.renew)
    } catch (error) {
      if (error instanceof CallError) return fail(error)
      throw error
    }
    return confirm(result, keep?.(result) as Kept)
  }
}

/**
 * The right to make a call is asked for once more when it is older than `freshMs`: whoever waited or stood still for long may have
 * lost the message to a worker whose calls must not be followed by this one.
 */
function createPermission<Given>(freshMs: number, ask: () => Promise<Given>) {
  let askedAt = performance.now()
  const isOld = () => performance.now() - askedAt > freshMs
  const askAgain = async () => {
    do {
      askedAt = performance.now()
      await ask()
    } while (isOld())
  }
  const renew: MayCall = () => (isOld() ? askAgain() : undefined)
  return { given: ask(), renew }
}

/** What a failed call says when the outcome of an earlier call for the same effect is not known. */
function inDoubt(error: CallError, operation: string): CallError {
  switch (error.outcome) {
    case 'unknown':
      return error
    case 'failed':
      // That this call was not applied says nothing about the one before.
      return new CallError({ ...factsOf(error), outcome: 'unknown' })
    case 'refused':
      // A refusal of a repeat says nothing about the first call: it may have been applied.
      return new CallError({
        ...factsOf(error),
        code: 'outcome-unknown',
        retry: never,
        outcome: 'unknown',
        message: `${operation} at ${error.connection}: refused a repeat, the outcome of an earlier call is unknown`,
      })
  }
}

const factsOf = ({ code, retry, connection, message, durationMs, status, farText }: CallError) => ({
  code,
  retry,
  connection,
  message,
  durationMs,
  ...(status !== undefined && { status }),
  ...(farText !== undefined && { farText }),
})

const refusalOf = ({ outcome, code, message, status, farText }: CallError): { refusal: Refusal } | undefined =>
  outcome === 'refused' ? { refusal: { code, message, status, farText } } : undefined

/**
 * What an effect that ended for good gave: its kept value, or the same refusal again. Version 0.1 stored some values without
 * saying which of both they are: a text is why the mail server refused, anything else was kept.
 */
function readStored<Kept>(
  stored: Stored<Kept> | Kept | string | null | undefined,
  { state, connection }: { readonly state: 'confirmed' | 'refused'; readonly connection: string },
): Kept {
  const isObject = typeof stored === 'object' && stored !== null
  if (isObject && 'kept' in stored) return stored.kept
  if (isObject && 'refusal' in stored) throw refusedAgain(stored.refusal, connection)
  if (state === 'refused' && typeof stored === 'string')
    throw refusedAgain({ message: stored, code: 'mail-refused' }, connection)
  return stored as Kept
}

const refusedAgain = ({ code = 'target-refused', message, status, farText }: Refusal, connection: string): CallError =>
  new CallError({
    code,
    retry: never,
    outcome: 'refused',
    connection,
    message,
    durationMs: 0,
    ...(status !== undefined && { status }),
    ...(farText !== undefined && { farText }),
  })
