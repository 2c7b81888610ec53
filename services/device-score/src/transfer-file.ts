import type { Attempt } from '@tieline/journal/types'
import { never, TielineError } from '@tieline/runtime/error'
import type { Logger } from '@tieline/runtime/logger'
import type { SourceFile } from '@tieline/targets/file-source'
import type { Fate, Ledger } from './ledger.ts'
import type { TransferMetrics } from './metrics.ts'
import { checkPrefixed, moveAside } from './move-aside.ts'
import { type Sending, sendFile } from './send-file.ts'
import { fileNotice } from './transfer-endings.ts'

/** What a run works with. */
export interface Transfer extends Sending {
  readonly attempt: Pick<Attempt, 'call' | 'flow' | 'key' | 'number' | 'id'>
  readonly ledger: Ledger
  /** They go before the name of a file after its transfer. */
  readonly prefixes: { readonly sent: string; readonly failed: string }
  readonly clock: () => number
  readonly logger: Pick<Logger, 'info'>
  readonly metrics: TransferMetrics
}

interface Ended {
  /** False: it is at the source as it was, and a later run takes it. */
  readonly touched: boolean
  readonly error?: TielineError
}

/**
 * Sends a file and renames it after what became of it; where an earlier attempt came half-way, only what is missing.
 * @throws CallError of the source
 */
export async function transferFile(file: SourceFile, transfer: Transfer): Promise<Ended> {
  const { attempt, ledger, source, prefixes, clock, logger, metrics } = transfer
  const fault = checkPrefixed(file.name, [prefixes.sent, prefixes.failed], clock())
  if (fault !== undefined) {
    const error = new TielineError('file-name-refused', never, `${source.connection}: the name of a file ${fault}`)
    const fate: Fate = { name: file.name, became: 'refused', code: error.code }
    await ledger.decide(file, fate, [fileNotice(attempt, file.name, error, clock())])
    metrics.ended(attempt.id, fate, file.bytes)
    return { touched: true }
  }

  const { fate, error }: Decided = ledger.decided(file) ?? (await sendAndDecide(file, transfer))
  if (fate === undefined) return { touched: false, ...(error && { error }) }
  const prefix = fate.became === 'sent' ? prefixes.sent : prefixes.failed
  const movedTo = fate.became === 'refused' ? undefined : await moveAside(source, file, prefix, clock())
  await ledger.finish(file, { ...fate, ...(movedTo !== undefined && { movedTo }) })
  metrics.ended(attempt.id, fate, file.bytes)
  logger.info({ key: attempt.key, file: file.name, movedTo, code: fate.code }, `Transfer of a file: ${fate.became}`)
  return { touched: true, ...(error && { error }) }
}

interface Decided {
  readonly fate?: Fate
  readonly error?: TielineError
}

async function sendAndDecide(file: SourceFile, transfer: Transfer): Promise<Decided> {
  const { attempt, ledger, clock } = transfer
  const sent = await sendFile(file, transfer)
  if (sent.kind === 'left') return { error: sent.error }
  if (sent.kind === 'sent') {
    const fate: Fate = { name: file.name, became: 'sent' }
    await ledger.decide(file, fate, [])
    return { fate }
  }
  const { error } = sent
  const fate: Fate = { name: file.name, became: sent.kind, code: error.code }
  await ledger.decide(file, fate, [fileNotice(attempt, file.name, error, clock())])
  // What is wrong with a file says nothing of the target.
  return sent.kind === 'refused' ? { fate } : { fate, error }
}
