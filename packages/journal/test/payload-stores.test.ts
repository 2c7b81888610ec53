import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, mkdtempDisposable, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { connectWorker } from '@tieline/runtime/redis'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describePayloadStore } from '@tieline/testkit/payload-store-suite'
import { expect, inject, test } from 'vitest'
import { createFilePayloadStore } from '../src/files/file-payload-store.ts'
import { createRedisPayloadStore } from '../src/files/redis-payload-store.ts'
import { logger } from './harness.ts'

describePayloadStore('a directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-payloads-'))
  return {
    store: createFilePayloadStore(directory),
    list: async () =>
      (await readdir(directory, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
})

test('a directory spreads what it keeps over many folders', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-payloads-'))
  const store = createFilePayloadStore(directory)
  for (let n = 0; n < 64; n++) await store.put(`s-${randomUUID()}`, Readable.from([]))
  expect((await readdir(directory)).length).toBeGreaterThan(16)
  await rm(directory, { recursive: true })
})

test('a directory that was open to other users is closed to them', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'tieline-payloads-'))
  await chmod(directory.path, 0o755)
  await createFilePayloadStore(directory.path).put('s-one', Readable.from(['text']))
  const entries = await readdir(directory.path, { recursive: true })
  for (const entry of ['', ...entries]) expect((await stat(join(directory.path, entry))).mode & 0o077, entry).toBe(0)
})

describePayloadStore('Redis', async () => {
  const redis = connectWorker(inject('redisUrl'), logger)
  const base = `{p-${randomUUID()}}`
  const keys = () => keysMatching(redis, `${base}:*`)
  return {
    store: createRedisPayloadStore(redis, base),
    list: keys,
    async [Symbol.asyncDispose]() {
      for (const key of await keys()) await redis.del(key)
      redis.disconnect()
    },
  }
})
