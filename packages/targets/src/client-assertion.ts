import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SignJWT } from 'jose'

export interface AssertionKey {
  readonly clientId: string
  readonly audience: string
  /** Private key, PEM. */
  readonly file: string
  readonly keyId?: string | undefined
}

/** Long enough for clocks that are apart, short enough that one which leaks is soon worthless. */
const lifetimeS = 300

/** Told of a key that cannot be used any more. */
export type TellAssertion = (message: string) => void

/**
 * Makes client assertions. The key is read for each, so that a new one is used as soon as it is there; one that cannot be used
 * leaves the former in use, which is told once.
 * @returns rejects when there has not been a usable key yet
 */
export function createAssertions(key: AssertionKey, tell?: TellAssertion): () => Promise<string> {
  let former: KeyObject | undefined
  let told = false
  return async () => {
    try {
      former = await readSigningKey(key.file)
      told = false
    } catch (error) {
      if (former === undefined) throw error
      if (!told) tell?.(`The key ${key.file} cannot be used. The former one stays in use.`)
      told = true
    }
    return sign(key, former)
  }
}

/** @throws Error when the file cannot be read or holds no key that signs by a known algorithm */
export async function readSigningKey(file: string): Promise<KeyObject> {
  const key = createPrivateKey(await readFile(file, 'utf8'))
  algorithmOf(key)
  return key
}

/** A client assertion (RFC 7523, section 3), good once and for five minutes. */
const sign = ({ clientId, audience, keyId }: AssertionKey, key: KeyObject): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: algorithmOf(key), ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetimeS} s`)
    .sign(key)

/** What identity providers take for each kind of key. */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const curve = asymmetricKeyDetails?.namedCurve
  if (asymmetricKeyType === 'rsa') return 'RS256'
  if (asymmetricKeyType === 'rsa-pss') return 'PS256'
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (curve === 'prime256v1') return 'ES256'
  if (curve === 'secp384r1') return 'ES384'
  throw new Error(`A ${asymmetricKeyType} key signs no assertion`)
}
