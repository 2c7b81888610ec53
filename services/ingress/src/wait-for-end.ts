import type { FlowId } from '@tieline/contracts/flows'
import { hasWorker, readWorkerSeenAt, workerSilentMs } from '@tieline/journal/intake'
import type { Waited } from '@tieline/journal/replies'
import type { Acceptance } from '@tieline/journal/types'
import type { OpenStore, Store } from './store.ts'

/** What a wait depends on besides its message. */
export type Patience = Pick<Store, 'stopping' | 'workersMayCome'>

interface Awaited {
  readonly flow: FlowId
  readonly acceptance: Exclude<Acceptance, { kind: 'replayed' }>
  readonly withinMs: number
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal
}

/**
 * Waits until a message has settled, at most `withinMs`. Not at all when no worker would work on it; but at the start of an
 * installation its workers may be on their way, so there a message is given until it is 15 s old.
 */
export async function waitForEnd(
  { journal, desk }: OpenStore,
  store: Patience,
  { flow, acceptance, withinMs, signal }: Awaited,
): Promise<Waited> {
  const open: Waited = { kind: 'open' }
  if (store.stopping()) return open
  if (hasWorker(journal, acceptance.workerSeenAt)) return desk.wait(acceptance, withinMs, signal)
  if (!store.workersMayCome(acceptance.workerSeenAt)) return open

  const ageMs = Math.max(0, journal.clock() - acceptance.acceptedAt)
  const firstMs = Math.min(withinMs, workerSilentMs - ageMs)
  if (firstMs <= 0) return open
  const begunMs = performance.now()
  const waited = await desk.wait(acceptance, firstMs, signal)
  if (waited.kind !== 'open' || signal.aborted || store.stopping()) return waited
  const seenAt = await readWorkerSeenAt(journal, flow).catch(() => 0)
  if (!hasWorker(journal, seenAt)) return open
  return desk.wait(acceptance, withinMs - (performance.now() - begunMs), signal)
}

/**
 * Whether workers may still be on their way: Redis came a moment ago, with the ingress or after an outage, and none has given a
 * sign since. All times but `withinMs` are milliseconds since 1970.
 */
export const workersMayCome = ({ workerSeenAt, readySinceMs, nowMs, withinMs }: WorkerTimes): boolean =>
  workerSeenAt < readySinceMs && nowMs - readySinceMs < withinMs

interface WorkerTimes {
  /** The last sign of one; 0: never. */
  readonly workerSeenAt: number
  readonly readySinceMs: number
  readonly nowMs: number
  /** How long they may take. */
  readonly withinMs: number
}
