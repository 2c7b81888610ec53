import { Counter, type Registry } from 'prom-client'
import type { Fate } from './ledger.ts'

export interface TransferMetrics {
  /** A file has come to its end. */
  ended(transfer: string, fate: Pick<Fate, 'became'>, bytes: number): void
}

/** Labels are names of the installation file; names of files are told elsewhere. */
export function createTransferMetrics(register: Registry): TransferMetrics {
  const registers = [register]
  const files = new Counter({
    name: 'tieline_transfer_files_total',
    help: 'Score files that came to their end, by transfer and result: sent, failed (error prefix) or refused (its name cannot be used).',
    labelNames: ['transfer', 'result'],
    registers,
  })
  const bytes = new Counter({
    name: 'tieline_transfer_file_bytes_total',
    help: 'Bytes of the score files that DERMS took, by transfer.',
    labelNames: ['transfer'],
    registers,
  })
  return {
    ended(transfer, { became }, size) {
      files.inc({ transfer, result: became })
      if (became === 'sent') bytes.inc({ transfer }, size)
    },
  }
}
