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

/**
 * A client assertion (RFC 7523, section 3), good once and for five minutes.
 * @throws Error when the key cannot be read or signs by no known algorithm
 */
export async function signAssertion({ clientId, audience, file, keyId }: AssertionKey): Promise<string> {
  const key = createPrivateKey(await readFile(file, 'utf8'))
  return new SignJWT()
    .setProtectedHeader({ alg: algorithmOf(key), ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetimeS} s`)
    .sign(key)
}

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
