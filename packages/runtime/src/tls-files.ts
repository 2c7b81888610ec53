import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls'
import { ConfigurationError } from './configuration-error.ts'
import type { Logger } from './logger.ts'

/** Files that make a listener speak TLS; with `clientCaFile` only callers with a certificate of that CA get in. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile?: string
}

/** Reads the files and checks that they fit together. Throws an error that names the files, never their content. */
export async function readTlsFiles(files: TlsFiles): Promise<SecureContextOptions> {
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
      files.clientCaFile === undefined ? undefined : readFile(files.clientCaFile, 'utf8'),
    ])
    const content = { cert, key, ...(ca !== undefined && { ca }) }
    createSecureContext(content)
    return content
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigurationError(`The TLS files ${Object.values(files).join(', ')} cannot be used: ${code}`, [])
  }
}

/**
 * Gives a listener the new certificate when its files have changed. Files that do not fit together, half of a change
 * for instance, leave the old certificate in use and are looked at again.
 */
export function reloadTlsFiles(
  server: Pick<Server, 'setSecureContext'>,
  files: TlsFiles,
  { current, everyMs, logger }: { current: SecureContextOptions; everyMs: number; logger?: Logger | undefined },
): Disposable {
  let inUse = JSON.stringify(current)
  let complaint = ''
  const look = async () => {
    try {
      const content = await readTlsFiles(files)
      complaint = ''
      if (JSON.stringify(content) === inUse) return
      server.setSecureContext(content)
      inUse = JSON.stringify(content)
      logger?.info({ certFile: files.certFile }, 'Loaded a new TLS certificate')
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      if (message !== complaint) logger?.warn({ certFile: files.certFile }, `${message}. The former ones stay in use.`)
      complaint = message
    }
  }
  // Read anew instead of watched: mounted secrets are swapped by links, which file watchers miss.
  const timer = setInterval(look, everyMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
