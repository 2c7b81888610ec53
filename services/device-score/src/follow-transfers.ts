import { stat } from 'node:fs/promises'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { type Installation, loadInstallation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'

/** What transfers need of the installation file. */
export type TransferSettings = Pick<Installation, 'deviceScore' | 'connections'>

interface FollowedTransfers extends AsyncDisposable {
  readonly current: () => TransferSettings
  /** Calls back after each change of the file. A file with faults is told in the log, and changes nothing. */
  onChange(logger: Logger, changed: (settings: TransferSettings) => Promise<void>): void
}

/** Transfers as the installation file has them now: schedules and sources change without a restart. */
export function followTransfers(
  { environment, installation }: ServiceSettings,
  { followMs = 2_000 }: { readonly followMs?: number } = {},
): FollowedTransfers {
  const { configFile, dataDir } = environment
  const stampOf = async () => {
    const { mtimeMs, size, ino } = await stat(configFile)
    return `${mtimeMs} ${size} ${ino}`
  }
  let current: TransferSettings = installation
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  return {
    current: () => current,
    onChange(logger, changed) {
      // What changed between the start of the process and the first look is a change too.
      let read: string | undefined
      let applied = true
      const look = async () => {
        const stamp = await stampOf()
        if (stamp !== read) {
          read = stamp
          current = await loadInstallation(configFile, { ...process.env, DATA_DIR: dataDir })
          applied = false
        }
        if (!applied) await changed(current)
        applied = true
      }
      timer = setInterval(() => {
        looking = looking.then(look).catch((error) => {
          const faulty = error instanceof ConfigurationError
          const sentence = 'The installation file has faults; transfers go on as they were'
          logger.error({ err: error }, faulty ? sentence : 'Could not follow the installation file; trying again')
        })
      }, followMs)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}
