import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { never, TielineError } from '@tieline/runtime/error'

/** A key of `TIELINE_PAYLOAD_KEYS`: 32 bytes for AES-256-GCM. */
export interface PayloadKey {
  readonly id: string
  readonly key: Buffer
}

/** Keeps what is at rest unreadable. `context` (message key and purpose) is authenticated, so values cannot be swapped. */
export interface Sealer {
  readonly encrypts: boolean
  /** As text, for what stands inside JSON. */
  seal(plain: string, context: string): string
  /** @throws TielineError `payload-unreadable` when the key is unknown or the value was damaged */
  open(sealed: string, context: string): string
  /** As bytes, a quarter smaller: for what stands alone. */
  sealBytes(plain: string, context: string): Buffer
  /** @throws TielineError `payload-unreadable` when the key is unknown or the value was damaged */
  openBytes(sealed: Buffer, context: string): string
}

const ivBytes = 12
const tagBytes = 16

/** The first key encrypts, all decrypt, so that keys can be rotated. Without keys values are kept in clear. */
export function createSealer(keys: readonly PayloadKey[]): Sealer {
  // Prepared once: given as bytes, a key is taken apart anew for every value.
  const prepared = keys.map(({ id, key }) => ({ id, key: createSecretKey(key) }))
  const byId = new Map(prepared.map(({ id, key }) => [id, key]))
  const first = prepared[0]
  const keyOf = (id: string): KeyObject => {
    const key = byId.get(id)
    if (!key) throw unreadable(`no key "${id}" in TIELINE_PAYLOAD_KEYS`)
    return key
  }
  return {
    encrypts: first !== undefined,
    seal(plain, context) {
      return first ? `1.${first.id}.${encrypt(first.key, plain, context).toString('base64')}` : `0.${plain}`
    },
    open(sealed, context) {
      if (sealed.startsWith('0.')) return sealed.slice(2)
      const [version, id = '', base64] = sealed.split('.', 3)
      if (version !== '1' || base64 === undefined) throw unreadable('it has no known form')
      return decrypt(keyOf(id), Buffer.from(base64, 'base64'), context)
    },
    sealBytes(plain, context) {
      if (!first) return Buffer.from(`0.${plain}`)
      return Buffer.concat([Buffer.from(`1.${first.id}.`), encrypt(first.key, plain, context)])
    },
    openBytes(sealed, context) {
      const form = sealed.toString('latin1', 0, 2)
      if (form === '0.') return sealed.toString('utf8', 2)
      const idEnd = sealed.indexOf('.', 2)
      if (form !== '1.' || idEnd < 0) throw unreadable('it has no known form')
      return decrypt(keyOf(sealed.toString('utf8', 2, idEnd)), sealed.subarray(idEnd + 1), context)
    },
  }
}

/** Initialization vector, tag, and what is encrypted. */
function encrypt(key: KeyObject, plain: string, context: string): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const body = [cipher.update(plain, 'utf8'), cipher.final()]
  return Buffer.concat([iv, cipher.getAuthTag(), ...body])
}

function decrypt(key: KeyObject, bytes: Buffer, context: string): string {
  try {
    // With the length given, a tag that was cut short is not taken for a tag.
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
    return decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw unreadable('it was damaged or sealed with another key of the same id', cause)
  }
}

const unreadable = (why: string, cause?: unknown) =>
  new TielineError('payload-unreadable', never, `A stored value cannot be read: ${why}`, { cause })
