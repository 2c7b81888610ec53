import type { Attempt } from '@tieline/journal/types'
import { CallError } from '@tieline/runtime/error'
import type { DermsClient } from '@tieline/targets/derms'
import type { FileSource, SourceFile } from '@tieline/targets/file-source'
import { sendEffect } from './ledger.ts'

export interface Sending {
  readonly attempt: Pick<Attempt, 'call'>
  readonly source: FileSource
  readonly derms: DermsClient
  readonly wait: (ms: number) => Promise<void>
  /** Before the second try. */
  readonly againMs: number
}

/**
 * How it ended. `refused`: it must not be read, as a link does that leads out of the place. `left`: nothing of it can have been
 * taken, and it is not the fault of the file.
 */
export type Sent =
  | { readonly kind: 'sent' }
  | { readonly kind: 'refused'; readonly error: CallError }
  | { readonly kind: 'failed'; readonly error: CallError }
  | { readonly kind: 'left'; readonly error: CallError }

const triesMax = 2
/** DERMS may ask for a longer pause. */
const pauseMaxMs = 60_000

/**
 * Streams a file from its source to DERMS. What fails technically is tried once more.
 * @throws CallError of the source: the file stays as it is
 */
export async function sendFile(file: SourceFile, sending: Sending): Promise<Sent> {
  const { attempt, source, derms, wait, againMs } = sending
  const content = { bytes: file.bytes, open: () => source.open(file) }
  let failure: CallError | undefined
  for (let tries = 1; ; tries += 1) {
    try {
      await attempt.call(sendEffect(file), derms, 'deviceScore', { segment: file.name, content })
      return { kind: 'sent' }
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      if (error.code === 'file-changed') return { kind: 'left', error }
      if (error.code === 'file-name-refused') return { kind: 'refused', error }
      if (error.connection === source.connection) throw error
      // The call was not made: what is to be said of the file is what the call before it met.
      if (error.code === 'connection-paused')
        return failure ? { kind: 'failed', error: failure } : { kind: 'left', error }
      if (error.retry.kind === 'never' || tries === triesMax) return { kind: 'failed', error }
      failure = error
      await wait(error.retry.kind === 'after' ? Math.min(error.retry.delayMs, pauseMaxMs) : againMs)
    }
  }
}
