import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { startEmbeddedRedis } from '../src/embedded-redis.ts'
import { findRedisBinary } from '../src/redis-binary.ts'
import { openRedis } from '../src/redis-open.ts'
import { recordingLogger, startRedis, temporaryDirectory } from './support.ts'

/** A directory for PATH with the given shell scripts as programs, and an empty cache beside it. */
async function machineWith(directory: string, programs: Record<string, string>) {
  const path = join(directory, 'bin')
  await mkdir(path)
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return {
    dataDir: join(directory, 'data'),
    cacheDir: join(directory, 'cache'),
    env: { PATH: path },
    ...recordingLogger(),
  }
}

const realServer = async () => {
  const { binary, env } = await findRedisBinary()
  return `LD_LIBRARY_PATH='${env.LD_LIBRARY_PATH ?? ''}' exec ${binary} "$@"`
}

describe('an embedded Redis', () => {
  it('is the server on the PATH when there is one, and keeps its data between starts', async () => {
    await using directory = await temporaryDirectory()
    const machine = await machineWith(directory.path, { 'valkey-server': await realServer() })
    for (const found of [null, 'value']) {
      await using server = await startEmbeddedRedis(machine)
      expect(server.source).toBe(join(directory.path, 'bin/valkey-server'))
      expect(server.pid).toBeGreaterThan(0)
      const redis = new Redis(server.url)
      expect(await redis.get('key')).toBe(found)
      await redis.set('key', 'value')
      redis.disconnect()
    }
    expect(machine.lines.join()).toContain('Started an embedded Redis')
    await expect(readdir(machine.cacheDir)).rejects.toThrow('ENOENT')
  })

  it('passes over a server that is too old, and runs in the container that tests provide', async () => {
    await using directory = await temporaryDirectory()
    const machine = await machineWith(directory.path, { 'redis-server': 'echo "Redis server v=5.0.7 sha=0"' })
    const given: string[] = []
    const containers = async (args: readonly string[]) => {
      given.push(...args)
      return startRedis()
    }
    await using server = await startEmbeddedRedis({ ...machine, containers })
    expect(server.source).toBe('test container')
    expect(given.join(' ')).toContain('--appendonly yes --appendfsync always --maxmemory-policy noeviction')
  })

  it('runs in Docker on the data directory, and is gone after disposal', async () => {
    await using directory = await temporaryDirectory()
    // Stands in for Docker: runs the real server where Docker would publish and mount it.
    const docker = `
      [ "$1" = run ] || exit 0
      while [ "$1" != redis-server ]; do
        case "$1" in
          127.0.0.1:*) port=\${1#127.0.0.1:}; port=\${port%:6379} ;;
          *:/data) dir=\${1%:/data} ;;
          *:/socket) sockets=\${1%:/socket} ;;
        esac
        shift
      done
      shift
      for argument do
        shift
        case "$argument" in
          /data) argument=$dir ;;
          /socket/*) argument=$sockets/\${argument#/socket/} ;;
          6379) argument=$port ;;
          0.0.0.0) argument=127.0.0.1 ;;
        esac
        set -- "$@" "$argument"
      done
      ${await realServer()}`
    const machine = await machineWith(directory.path, { docker })
    const server = await startEmbeddedRedis(machine)
    expect(server.source).toBe('docker')
    const redis = new Redis(server.url)
    await redis.set('key', 'value')
    redis.disconnect()
    await server[Symbol.asyncDispose]()
    expect(await readdir(machine.dataDir)).toContain('appendonlydir')
    await using again = await startEmbeddedRedis({ ...machine, port: Number(new URL(server.url).port) })
    expect(again.url).toBe(server.url)
    await again[Symbol.asyncDispose]()

    const socket = join(directory.path, 'redis.sock')
    await using behindSocket = await startEmbeddedRedis({ ...machine, socket })
    expect(behindSocket.url).toBe(`redis+unix://${socket}`)
    const over = openRedis(behindSocket.url, machine.logger, {})
    expect(await over.get('key')).toBe('value')
    over.disconnect()
  })

  it('names every way and why it did not work when none does', async () => {
    await using directory = await temporaryDirectory()
    const machine = await machineWith(directory.path, { docker: 'echo "no daemon" >&2; exit 1' })
    const started = startEmbeddedRedis(machine)
    await expect(started).rejects.toThrow(
      /REDIS_URL.*redis-server or valkey-server on the PATH \(.*Debian or Ubuntu.*apt-get.*docker run \(.*no daemon/,
    )
  })
})
