import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls'
import { ConfigurationError } from './configuration-error.ts'
import type { Logger } from './logger.ts'
import { reloadFiles } from './reload-files.ts'

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

/** Gives a listener the new certificate when its files have changed; those that do not fit together leave the old one in use. */
export const reloadTlsFiles = (
  server: Pick<Server, 'setSecureContext'>,
  files: TlsFiles,
  { current, everyMs, logger }: { current: SecureContextOptions; everyMs: number; logger?: Logger | undefined },
): Disposable =>
  reloadFiles({
    read: () => readTlsFiles(files),
    current,
    use: (content) => server.setSecureContext(content),
    everyMs,
    logger,
    about: { certFile: files.certFile },
  })
