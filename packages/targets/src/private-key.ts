import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Logger } from '@tieline/runtime/logger'

/** What logs in, made of the file as it is now. */
export type FollowedKey<T> = () => Promise<T>

interface FollowOptions {
  readonly logger?: Pick<Logger, 'warn'> | undefined
  /** Between two looks at the file; default 10 s. */
  readonly everyMs?: number | undefined
}

/**
 * Reads `privateKeyFile` of a connection now, and again when somebody asks for the key and some time has passed. A file that
 * cannot be used any more leaves the former key in use, which is told once.
 * @throws ConfigurationError when it cannot be used now
 */
export async function followPrivateKey<T>(
  connection: string,
  file: string,
  use: (text: string) => T,
  { logger, everyMs = 10_000 }: FollowOptions = {},
): Promise<FollowedKey<T>> {
  let current = await readPrivateKey(connection, file, use)
  let lookedAt = performance.now()
  let complaint = ''
  return async () => {
    if (performance.now() - lookedAt < everyMs) return current
    lookedAt = performance.now()
    try {
      current = await readPrivateKey(connection, file, use)
      complaint = ''
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      if (message !== complaint) logger?.warn({ connection, file }, `${message}. The former key stays in use.`)
      complaint = message
    }
    return current
  }
}

/**
 * Reads `privateKeyFile` of a connection and makes of it what logs in.
 * @param use throws when the text is no key that it can use
 * @throws ConfigurationError
 */
export async function readPrivateKey<T>(connection: string, file: string, use: (text: string) => T): Promise<T> {
  const fault = (rule: string) =>
    new ConfigurationError('The connections cannot be used', [
      { path: `connections.${connection}.privateKeyFile`, rule },
    ])
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw fault(`cannot be read (${error.code})`)
  })
  try {
    return use(text)
  } catch {
    throw fault('is no private key that can be used')
  }
}
