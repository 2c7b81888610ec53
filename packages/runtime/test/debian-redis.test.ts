import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unpackDebianRedis } from '../src/debian-redis.ts'
import { startEmbeddedRedis } from '../src/embedded-redis.ts'
import { onPath, run } from '../src/programs.ts'
import { recordingLogger, temporaryDirectory } from './support.ts'

const isDebian = (await onPath('dpkg-deb', process.env)) !== undefined

/** An environment as on a fresh machine: no home, and a PATH with the system's tools but neither Redis nor Docker. */
async function bareEnvironment(directory: string): Promise<NodeJS.ProcessEnv> {
  const programs = join(directory, 'bin')
  await mkdir(programs)
  for (const name of await readdir('/usr/bin')) {
    if (!/^(redis|valkey|docker|podman)/.test(name)) await symlink(join('/usr/bin', name), join(programs, name))
  }
  return { PATH: programs, HOME: join(directory, 'no-such-home') }
}

describe.skipIf(!isDebian)("the distribution's Redis", () => {
  it('runs where neither Redis, Docker nor a home exists, and is kept for the next start', {
    timeout: 120_000,
  }, async () => {
    await using directory = await temporaryDirectory()
    const place = {
      dataDir: join(directory.path, 'data'),
      cacheDir: join(directory.path, 'cache'),
      env: await bareEnvironment(directory.path),
      ...recordingLogger(),
    }
    const first = await startEmbeddedRedis(place)
    expect(first.source).toBe('unpacked Debian package')
    await first[Symbol.asyncDispose]()

    await rm(join(place.env.PATH ?? '', 'apt-get'))
    const second = await startEmbeddedRedis(place)
    expect(second.source).toBe('unpacked Debian package')
    await second[Symbol.asyncDispose]()
  })

  it('survives two that unpack at once, missing package lists, and a kept server that no longer runs', {
    timeout: 120_000,
  }, async () => {
    await using directory = await temporaryDirectory()
    const cacheDir = join(directory.path, 'cache')
    const kept = join(cacheDir, `debian-${process.arch}`)
    await mkdir(join(kept, 'usr/bin'), { recursive: true })
    await writeFile(join(kept, 'usr/bin/redis-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const aptConfig = join(directory.path, 'apt.conf')
    await writeFile(aptConfig, `Dir::State::lists "${join(directory.path, 'no-lists')}";\n`)
    const env = { ...(await bareEnvironment(directory.path)), APT_CONFIG: aptConfig }

    const both = await Promise.all([unpackDebianRedis(cacheDir, env), unpackDebianRedis(cacheDir, env)])
    for (const { binary, env: itsEnv } of both)
      expect(await run(binary, ['--version'], { env: itsEnv })).toContain('Redis server')
    expect(await readdir(cacheDir)).toEqual([`debian-${process.arch}`])
  })
})
