import { createHash, createPublicKey, generateKeyPair } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface ApiKey extends AsyncDisposable {
  /** PEM. */
  readonly publicKey: string
  /** As OCI shows it: MD5 of the public key, in pairs of hexadecimal digits. */
  readonly fingerprint: string
  /** PEM, for our user only; gone in the end. */
  readonly privateKeyFile: string
}

/** A new API key of an OCI user. */
export async function createApiKey(): Promise<ApiKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' })
  const digest = createHash('md5').update(der).digest('hex')

  const directory = await mkdtemp(join(tmpdir(), 'tieline-api-key-'))
  const privateKeyFile = join(directory, 'key.pem')
  await writeFile(privateKeyFile, privateKey, { mode: 0o600 })
  return {
    publicKey,
    fingerprint: digest.replaceAll(/..(?=.)/g, '$&:'),
    privateKeyFile,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}
