import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { backoff, TielineError } from '@tieline/runtime/error'

/** Sealed payloads above this stay out of Redis. */
export const redisPayloadBytesMax = 4 * 1024 * 1024

/** Keeps large sealed payloads. A reference is opaque and never reused. */
export interface PayloadStore {
  put(key: string, sealed: string): Promise<string>
  /** @throws TielineError `payload-unreadable` when it is gone or cannot be read; tried again, a share may be away */
  get(reference: string): Promise<string>
  remove(reference: string): Promise<void>
}

/** A directory that all services share, such as a volume. A file is complete and on disk before its reference exists. */
export function createFileStore(directory: string): PayloadStore {
  const pathOf = (reference: string) => join(directory, reference.slice(0, 2), reference)
  return {
    async put(key, sealed) {
      const reference = `${createHash('sha256').update(key).digest('hex').slice(0, 16)}-${randomUUID()}`
      const path = pathOf(reference)
      await mkdir(join(directory, reference.slice(0, 2)), { recursive: true, mode: 0o700 })
      const file = await open(`${path}.part`, 'wx', 0o600)
      try {
        await file.writeFile(sealed)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.part`, path)
      await syncDirectory(join(directory, reference.slice(0, 2)))
      return reference
    },
    async get(reference) {
      try {
        return await readFile(pathOf(reference), 'utf8')
      } catch (cause) {
        throw new TielineError('payload-unreadable', backoff, 'The payload store does not have the payload', { cause })
      }
    },
    remove: (reference) => rm(pathOf(reference), { force: true }),
  }
}

/** A rename is durable only once its directory is. */
async function syncDirectory(path: string) {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
