import { backoff, CallError, never } from '@tieline/runtime/error'
import type { Verdict } from './classify.ts'
import { checkFileName } from './file-source.ts'

/** Thrown inside a source or store, where nobody knows the name of the operation. `operate` turns it into a CallError. */
export class SourceFailure extends Error {
  readonly verdict: Verdict
  /** HTTP status; absent when there was no answer, or no HTTP. */
  readonly status: number | undefined

  constructor(verdict: Verdict, status?: number) {
    super(verdict.message)
    this.name = 'SourceFailure'
    this.verdict = verdict
    this.status = status
  }
}

/** A verdict on something that certainly had no effect and may be tried again. */
export const failed = (code: Verdict['code'], message: string): Verdict => ({
  code,
  retry: backoff,
  outcome: 'failed',
  message,
})

export const fileChanged = (message: string): SourceFailure => new SourceFailure(failed('file-changed', message))

export const stopped = (): SourceFailure => new SourceFailure(failed('target-reset', 'was stopped'))

/** @throws SourceFailure when somebody asked to stop */
export function failIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw stopped()
}

/** @throws SourceFailure when the name must not become part of a path or an address */
export function requireFileName(name: string, check = checkFileName): void {
  const why = check(name)
  if (why !== undefined) throw refused(`refused a name that ${why}`)
}

/** A link leads out of the directory that the file was asked for in. */
export const ledOut = (): SourceFailure => refused('refused a link that leads out of the directory')

const refused = (message: string) =>
  new SourceFailure({ code: 'file-name-refused', retry: never, outcome: 'failed', message })

/** Runs one operation. @throws CallError that names connection and operation, for every failure of the source */
export async function operate<T>(connection: string, operation: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    return await work()
  } catch (error) {
    throw error instanceof SourceFailure ? toCallError(error, connection, operation, startedAt) : error
  }
}

export const toCallError = (
  { verdict, status }: SourceFailure,
  connection: string,
  operation: string,
  startedAt: number,
): CallError =>
  new CallError({
    ...verdict,
    message: `${connection}: ${operation} ${verdict.message}`,
    connection,
    durationMs: Math.round(performance.now() - startedAt),
    ...(status !== undefined && { status }),
  })
