import type { Logger } from './logger.ts'

export interface ReloadOptions<T> {
  /** Reads the files and checks that they fit together. Rejects with an error that names the files, never their content. */
  readonly read: () => Promise<T>
  /** What was read last. Two readings with the same JSON are the same. */
  readonly current: T
  /** Puts to use what is new. */
  readonly use: (content: T) => void
  readonly everyMs: number
  readonly logger?: Pick<Logger, 'info' | 'warn'> | undefined
  /** For the log lines. */
  readonly about: Readonly<Record<string, unknown>>
}

/**
 * Looks at files of certificates and keys again and again. Files that cannot be used, half of a change for instance, leave the
 * former ones in use, are told once, and are looked at again.
 */
export function reloadFiles<T>({ read, current, use, everyMs, logger, about }: ReloadOptions<T>): Disposable {
  let inUse = JSON.stringify(current)
  let complaint = ''
  const look = async () => {
    try {
      const content = await read()
      complaint = ''
      if (JSON.stringify(content) === inUse) return
      use(content)
      inUse = JSON.stringify(content)
      logger?.info(about, 'Loaded a new TLS certificate')
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      if (message !== complaint) logger?.warn(about, `${message}. The former ones stay in use.`)
      complaint = message
    }
  }
  // Read anew instead of watched: mounted secrets are swapped by links, which file watchers miss.
  const timer = setInterval(look, everyMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
