/** What to do to one of the next calls instead of answering it well. */
export type Fault =
  /** Answer with this status; the call has no effect unless `apply` is set. */
  | { readonly kind: 'fail'; readonly status: number; readonly apply: boolean; readonly body: unknown }
  /** Take effect, then cut the connection without an answer. */
  | { readonly kind: 'apply-then-drop' }
  /** Cut the connection without any effect. */
  | { readonly kind: 'drop-before' }
  /** Take effect, then let the caller wait for so long. */
  | { readonly kind: 'stall'; readonly ms: number }

interface Concerns {
  operation?: string | undefined
  times?: number | undefined
  /** Only calls whose path or body holds this text. */
  containing?: string | undefined
}

/** Every instruction concerns all calls unless it names an operation or a text. `times` is 1 unless given. */
export interface FaultControls {
  failNext(fault: Concerns & { status: number; body?: unknown; apply?: boolean | undefined }): void
  applyThenDrop(fault?: Concerns): void
  dropBefore(fault?: Concerns): void
  stallNext(fault: Concerns & { ms: number }): void
  /** Delays every answer, not the effect. 0 ends it. */
  latency(latency: { ms: number; operation?: string | undefined }): void
  /** Forgets the instructions that are left, latency and what else disturbs included. */
  heal(): void
}

export interface Faults extends FaultControls {
  /** The first instruction that concerns the call, used up by one. @param text its path and body */
  take(operation: string, text?: string): Fault | undefined
  /** How long the caller waits for the answer to a call. @param fault what was taken for it */
  latencyMs(operation: string, fault: Fault | undefined): number
}

/**
 * A script of faults, consumed in the order it was given.
 * @throws RangeError (from the controls) for an operation that does not exist: a misspelt one would wait forever
 */
export function createFaults(operations: readonly string[]): Faults {
  const script: { readonly fault: Fault; readonly of: Concerns; left: number }[] = []
  const latencies = new Map<string | undefined, number>()

  const checked = (operation: string | undefined) => {
    if (operation !== undefined && !operations.includes(operation)) {
      throw new RangeError(`No operation "${operation}"; there are ${operations.join(', ')}`)
    }
    return operation
  }
  const add = (fault: Fault, of: Concerns) =>
    script.push({ fault, of: { ...of, operation: checked(of.operation) }, left: of.times ?? 1 })

  return {
    failNext: ({ status, apply = false, body, ...of }) => void add({ kind: 'fail', status, apply, body }, of),
    applyThenDrop: (of = {}) => void add({ kind: 'apply-then-drop' }, of),
    dropBefore: (of = {}) => void add({ kind: 'drop-before' }, of),
    stallNext: ({ ms, ...of }) => void add({ kind: 'stall', ms }, of),
    latency: ({ ms, operation }) => void latencies.set(checked(operation), ms),
    heal() {
      script.length = 0
      latencies.clear()
    },
    take(operation, text = '') {
      const index = script.findIndex(
        ({ of }) => (of.operation ?? operation) === operation && text.includes(of.containing ?? ''),
      )
      const entry = script[index]
      if (entry === undefined) return undefined
      entry.left -= 1
      if (entry.left <= 0) script.splice(index, 1)
      return entry.fault
    },
    latencyMs: (operation, fault) =>
      fault?.kind === 'stall' ? fault.ms : (latencies.get(operation) ?? latencies.get(undefined) ?? 0),
  }
}
