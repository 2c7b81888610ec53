import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@tieline/runtime/configuration-error'

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
