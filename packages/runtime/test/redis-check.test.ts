import { describe, expect, it } from 'vitest'
import { checkRedis, connectProducer, connectWorker, memoryUse } from '../src/redis.ts'
import { eventually, recordingLogger, startRedis } from './support.ts'

async function check(extraArgs: string[], allowVolatile = false, reminderMs = 60_000) {
  await using server = await startRedis({ extraArgs })
  const { logger, lines } = recordingLogger()
  const redis = await connectProducer(server.url, logger)
  try {
    using result = await checkRedis(redis, { allowVolatile, logger, reminderMs })
    const seen = lines.length
    if (reminderMs < 1_000) await eventually(() => lines.length >= seen + 2)
    return { warnings: result.warnings, lines }
  } finally {
    redis.disconnect()
  }
}

describe('the check of Redis at boot', () => {
  it('accepts a Redis that keeps what it confirms', async () => {
    expect(await check([])).toEqual({ warnings: [], lines: [] })
  })

  it('refuses a Redis that evicts or keeps no file, naming everything that is wrong', async () => {
    const checked = check(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no'])
    await expect(checked).rejects.toThrow(/allkeys-lru.*append-only file is off.*TIELINE_ALLOW_VOLATILE_REDIS=1/)
  })

  it('accepts it when told to, but warns at once, again and again, and in health', async () => {
    const { warnings, lines } = await check(['--appendonly', 'no'], true, 20)
    expect(warnings).toEqual([expect.stringContaining('append-only file is off')])
    expect(lines[0]).toContain('Redis can lose accepted messages')
    expect(lines.length).toBeGreaterThanOrEqual(3)
  })

  it('only warns in health of a file that is written through once a second', async () => {
    const { warnings } = await check(['--appendfsync', 'everysec'])
    expect(warnings).toEqual([expect.stringContaining('appendfsync is everysec')])
  })

  it('only warns in health when CONFIG is not allowed', async () => {
    const { warnings } = await check(['--rename-command', 'CONFIG', ''])
    expect(warnings).toEqual([expect.stringContaining('appendfsync cannot be read')])
  })

  it('waits for a Redis that is away', async () => {
    await using server = await startRedis()
    const { logger, lines } = recordingLogger()
    await server.kill('SIGKILL')
    const redis = connectWorker(server.url, logger)
    const checking = checkRedis(redis, { allowVolatile: false, logger })
    await eventually(() => lines.some((line) => line.includes('is away')))
    await server.restart()
    expect((await checking).warnings).toEqual([])
    redis.disconnect()
  })
})

describe('the memory of Redis', () => {
  it('is told in bytes, with its limit', async () => {
    await using server = await startRedis({ extraArgs: ['--maxmemory', '100mb'] })
    const redis = await connectProducer(server.url, recordingLogger().logger)
    const { usedBytes, maxBytes } = await memoryUse(redis)
    expect(usedBytes).toBeGreaterThan(100_000)
    expect(usedBytes).toBeLessThan(maxBytes)
    expect(maxBytes).toBe(100 * 1024 ** 2)
    redis.disconnect()
  })

  it('has the limit 0 when none is set', async () => {
    await using server = await startRedis()
    const redis = await connectProducer(server.url, recordingLogger().logger)
    expect((await memoryUse(redis)).maxBytes).toBe(0)
    redis.disconnect()
  })
})
