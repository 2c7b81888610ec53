import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { backoff, TielineError } from '@tieline/runtime/error'
import type { PayloadStore } from './payload-store.ts'

/** Payloads in a directory that all services share, such as a volume. A file has its name only when it is complete and on disk. */
export function createFilePayloadStore(directory: string): PayloadStore {
  // How references begin is all the same; how they end is random, and spreads the files over 256 folders.
  const folderOf = (reference: string) => join(directory, reference.slice(-2))
  const pathOf = (reference: string) => join(folderOf(reference), reference)
  const partOf = (reference: string) => `${pathOf(reference)}.part`
  let closed: Promise<void> | undefined

  return {
    async put(reference, bytes) {
      await mkdir(folderOf(reference), { recursive: true, mode: 0o700 })
      // One that was there may be open to other users. Some shares do not let anybody change that.
      closed ??= chmod(directory, 0o700).catch(() => undefined)
      await closed
      try {
        await writeSynced(partOf(reference), bytes)
        await rename(partOf(reference), pathOf(reference))
      } catch (error) {
        await rm(partOf(reference), { force: true })
        throw error
      }
      await syncDirectory(folderOf(reference))
    },
    async get(reference) {
      const file = await open(pathOf(reference), 'r').catch((cause: unknown) => {
        throw unreadable(cause)
      })
      return readAll(createReadStream('', { fd: file, highWaterMark: 256 * 1024 }))
    },
    async remove(reference) {
      await rm(partOf(reference), { force: true })
      await rm(pathOf(reference), { force: true })
    },
  }
}

async function writeSynced(path: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of bytes) await file.writeFile(chunk)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function* readAll(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** A rename is durable only once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const unreadable = (cause: unknown) =>
  new TielineError('payload-unreadable', backoff, 'The payload store does not have the payload', { cause })
