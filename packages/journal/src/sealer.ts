import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { never, TielineError } from '@tieline/runtime/error'

/** A key of `TIELINE_PAYLOAD_KEYS`: 32 bytes for AES-256-GCM. */
export interface PayloadKey {
  readonly id: string
  readonly key: Buffer
}

/** Keeps what is at rest unreadable. `context` (message key and purpose) is authenticated, so values cannot be swapped. */
export interface Sealer {
  readonly encrypts: boolean
  seal(plain: string, context: string): string
  /** @throws TielineError `payload-unreadable` when the key is unknown or the value was damaged */
  open(sealed: string, context: string): string
}

const ivBytes = 12
const tagBytes = 16

/** The first key encrypts, all decrypt, so that keys can be rotated. Without keys values are kept in clear. */
export function createSealer(keys: readonly PayloadKey[]): Sealer {
  const byId = new Map(keys.map((key) => [key.id, key.key]))
  const first = keys[0]
  return {
    encrypts: first !== undefined,
    seal(plain, context) {
      if (!first) return `0.${plain}`
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', first.key, iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `1.${first.id}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')}`
    },
    open(sealed, context) {
      if (sealed.startsWith('0.')) return sealed.slice(2)
      const [version, id, base64] = sealed.split('.', 3)
      const key = byId.get(id ?? '')
      if (version !== '1' || !key || base64 === undefined)
        throw unreadable(`no key "${id ?? ''}" in TIELINE_PAYLOAD_KEYS`)
      const bytes = Buffer.from(base64, 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes))
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
        return decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch (cause) {
        throw unreadable('it was damaged or sealed with another key of the same id', cause)
      }
    },
  }
}

const unreadable = (why: string, cause?: unknown) =>
  new TielineError('payload-unreadable', never, `A stored value cannot be read: ${why}`, { cause })
