import { stat } from 'node:fs/promises'
import type { Logger } from '@tieline/runtime/logger'
import type { BillsSection } from '@tieline/targets/bill-files'

/** The directory of bills is not ours, so its rights are not changed; but who runs it shall know that every user can read them. */
export async function warnIfOpenToAll(source: BillsSection['source'], logger: Pick<Logger, 'warn'>): Promise<void> {
  if (source.kind !== 'directory') return
  const { mode } = await stat(source.path).catch(() => ({ mode: 0 }))
  if ((mode & 0o007) === 0) return
  logger.warn(`Every user of this machine can get at the bills in ${source.path}: chmod o= closes them`)
}
