import type { Logger } from '@tieline/runtime/logger'

interface Deps {
  /** The version that Redis is at; undefined when it holds nothing. */
  readonly storedVersion: () => Promise<number | undefined>
  readonly heldVersion: () => number
  readonly reload: () => Promise<void>
  readonly logger: Pick<Logger, 'info' | 'warn'>
}

export interface Follower {
  /** Reloads if there is something new. Never rejects: what is held stays in use until Redis can be read again. */
  refresh(): Promise<void>
  stop(): void
}

/** Keeps what is held at the version that is stored, one look at a time. */
export function createFollower({ storedVersion, heldVersion, reload, logger }: Deps): Follower {
  let looking: Promise<void> | undefined
  let lookAgain = false
  let stale = false
  let stopped = false

  const look = async () => {
    try {
      const version = await storedVersion()
      if (version === undefined) throw new Error('Redis holds no lookups')
      if (version !== heldVersion()) await reload()
      if (stale) logger.info({ version: heldVersion() }, 'Lookups can be read again')
      stale = false
    } catch (error) {
      if (!stale && !stopped) {
        const reason = error instanceof Error ? error.message : 'unknown'
        logger.warn({ version: heldVersion(), reason }, `Lookups cannot be read; version ${heldVersion()} stays in use`)
      }
      stale = true
    }
  }
  const lookUntilQuiet = async () => {
    do {
      lookAgain = false
      await look()
    } while (lookAgain && !stopped)
    looking = undefined
  }

  return {
    refresh() {
      // A look under way may have read the version already, so a wish that comes meanwhile gets a look of its own.
      if (looking) lookAgain = true
      else looking = lookUntilQuiet()
      return looking
    },
    stop() {
      stopped = true
    },
  }
}
