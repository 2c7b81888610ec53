import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { onPath } from '../src/programs.ts'
import { untilRedisAnswers } from '../src/redis-answers.ts'
import { findRedisBinary } from '../src/redis-binary.ts'
import { freePort } from '../src/redis-process.ts'
import { eventually, startRedis, temporaryDirectory } from './support.ts'

const setpriv = await onPath('setpriv', process.env)

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('an embedded Redis process', () => {
  it('has every confirmed write again after it was killed, on the same port', async () => {
    await using server = await startRedis()
    const before = new Redis(server.url)
    await before.set('key', 'value')
    before.disconnect()
    await server.kill('SIGKILL')
    expect(isRunning(server.pid)).toBe(false)
    const again = await server.restart()
    expect(again.url).toBe(server.url)
    const after = new Redis(again.url)
    expect(await after.get('key')).toBe('value')
    after.disconnect()
  })

  it('keeps what it confirms, never evicts, and listens on loopback only', async () => {
    await using server = await startRedis()
    const redis = new Redis(server.url)
    const setting = async (name: string) => ((await redis.config('GET', name)) as string[])[1]
    expect(await setting('appendonly')).toBe('yes')
    expect(await setting('appendfsync')).toBe('always')
    expect(await setting('maxmemory-policy')).toBe('noeviction')
    expect(await setting('bind')).toBe('127.0.0.1')
    expect(await setting('protected-mode')).toBe('yes')
    redis.disconnect()
  })

  it('is gone after disposal, even when it hangs', async () => {
    const server = await startRedis({ stopWithinMs: 100 })
    await server.kill('SIGSTOP')
    await server[Symbol.asyncDispose]()
    expect(isRunning(server.pid)).toBe(false)
  })

  it('refuses a data directory that another server uses', async () => {
    await using server = await startRedis()
    await expect(startRedis({ dataDir: server.dataDir })).rejects.toThrow(`process id ${server.pid}`)
  })

  it('says why it did not start', async () => {
    await expect(startRedis({ extraArgs: ['--no-such-setting', 'yes'] })).rejects.toThrow(
      /Redis did not start: .*no-such-setting/s,
    )
    await expect(startRedis({ binary: '/nowhere/redis-server' })).rejects.toThrow(
      /Redis did not start: .*\/nowhere\/redis-server/s,
    )
  })

  it('says when its port is taken, by another Redis too', async () => {
    await using other = await startRedis()
    await expect(startRedis({ port: other.port })).rejects.toThrow(/address already in use|Another Redis/i)
    const port = await freePort()
    const silent = createServer().listen(port, '127.0.0.1')
    await once(silent, 'listening')
    await expect(startRedis({ port })).rejects.toThrow(/address already in use/i)
    silent.close()
  })

  it.skipIf(setpriv === undefined)('ends when its parent is killed', async () => {
    await using directory = await temporaryDirectory()
    const { binary, env } = await findRedisBinary()
    const program = `
      const { startRedisProcess } = await import(${JSON.stringify(new URL('../src/redis-process.ts', import.meta.url).href)})
      const server = await startRedisProcess(${JSON.stringify({ binary, dataDir: directory.path })})
      console.log(server.port)`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await once(parent.stdout, 'data')
    const port = Number(output)
    const answers = () =>
      untilRedisAnswers(port, { withinMs: 0 }).then(
        () => true,
        () => false,
      )
    expect(await answers()).toBe(true)
    parent.kill('SIGKILL')
    await eventually(async () => !(await answers()))
  })
})
