import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startLastingRedis } from '../src/lasting-redis.ts'
import { openRedis } from '../src/redis-open.ts'
import { eventually, recordingLogger, startRedis, temporaryDirectory } from './support.ts'

/** Asks over a connection of its own. */
async function ask(url: string, question: 'get' | 'set'): Promise<string | null> {
  const redis = openRedis(url, recordingLogger().logger, {})
  try {
    return question === 'get' ? await redis.get('key') : await redis.set('key', 'value')
  } finally {
    redis.disconnect()
  }
}

describe('a lasting Redis', () => {
  it('takes over the data of an earlier version, closes it to others, and waits for a server that still uses it', async () => {
    await using earlier = await startRedis()
    await ask(earlier.url, 'set')
    const aof = join(earlier.dataDir, 'appendonlydir')
    for (const open of [earlier.dataDir, aof]) await chmod(open, 0o755)
    const { logger, lines } = recordingLogger()
    await using redis = await startLastingRedis({ dataDir: earlier.dataDir, logger, firstWithinMs: 100 })
    expect(lines.join()).toContain(`is in use by the Redis with process id ${earlier.pid}`)

    await earlier.kill('SIGTERM')
    await eventually(() => lines.join().includes('runs at redis+unix://'))
    expect(await ask(redis.url, 'get')).toBe('value')
    for (const closed of [earlier.dataDir, aof]) expect((await stat(closed)).mode & 0o777).toBe(0o700)
    for (const file of await readdir(aof)) expect((await stat(join(aof, file))).mode & 0o777).toBe(0o600)
  })

  it('listens elsewhere, closed to others too, when its directory has too long a name for a socket', async () => {
    await using directory = await temporaryDirectory()
    const dataDir = join(directory.path, 'x'.repeat(120))
    const redis = await startLastingRedis({ dataDir, logger: recordingLogger().logger })
    expect(await ask(redis.url, 'set')).toBe('OK')
    const socket = redis.url.slice('redis+unix://'.length)
    expect(socket.length).toBeLessThan(100)
    expect((await stat(join(socket, '..'))).mode & 0o077).toBe(0)
    await redis[Symbol.asyncDispose]()
    await expect(stat(join(socket, '..'))).rejects.toThrow('ENOENT')
  })

  it('refuses a folder that it cannot make, in one sentence', async () => {
    const started = startLastingRedis({ dataDir: '/dev/null/redis', logger: recordingLogger().logger })
    await expect(started).rejects.toThrow(/^The folder of the embedded Redis cannot be used: ENOTDIR[^\n]*$/)
  })

  it('that cannot start says why once, and can be stopped', async () => {
    await using directory = await temporaryDirectory()
    const dataDir = join(directory.path, 'data')
    await mkdir(join(dataDir, 'appendonlydir/appendonly.aof.manifest'), { recursive: true })
    const { logger, lines } = recordingLogger()
    const redis = await startLastingRedis({ dataDir, logger, firstWithinMs: 1_500 })
    expect(lines.filter((line) => line.includes('"level":"error"'))).toHaveLength(1)
    expect(lines.join()).toMatch(/does not run, and is tried again: Redis did not start: .*appendonly/)
    await redis[Symbol.asyncDispose]()
  })
})
