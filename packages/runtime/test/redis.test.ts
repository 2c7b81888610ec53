import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { connectProducer, connectWorker, untilReady } from '../src/redis.ts'
import { untilRedisAnswers } from '../src/redis-answers.ts'
import { findRedisBinary } from '../src/redis-binary.ts'
import { follow, freePort, stopProcess } from '../src/redis-process.ts'
import { makeCertificate } from './certificate.ts'
import { eventually, recordingLogger, startRedis, temporaryDirectory } from './support.ts'

const elapsedMs = async (run: () => Promise<unknown>) => {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

describe('a producer', () => {
  it('fails at once while Redis is away and works again soon after its return', async () => {
    await using server = await startRedis()
    const { logger, lines } = recordingLogger()
    const redis = await connectProducer(server.url, logger)
    await redis.set('key', 'before')
    await server.kill('SIGKILL')
    await eventually(() => redis.status !== 'ready')

    const failedAfterMs = await elapsedMs(() => expect(redis.set('key', 'during')).rejects.toThrow())
    expect(failedAfterMs).toBeLessThan(500)
    await eventually(() => lines.some((line) => line.includes('is away')))
    await server.restart()
    expect(await elapsedMs(() => untilReady(redis))).toBeLessThan(5_000)
    expect(await redis.get('key')).toBe('before')
    expect(lines.filter((line) => line.includes('is away'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('is back'))).toHaveLength(1)
    redis.disconnect()
  })

  it('fails a command in time when Redis hangs, and goes on when it wakes', async () => {
    await using server = await startRedis()
    const redis = await connectProducer(server.url, recordingLogger().logger)
    await server.kill('SIGSTOP')
    const failedAfterMs = await elapsedMs(() => expect(redis.set('key', 'value')).rejects.toThrow('timed out'))
    await server.kill('SIGCONT')
    expect(failedAfterMs).toBeLessThan(3_000)
    await eventually(() =>
      redis.set('key', 'value').then(
        () => true,
        () => false,
      ),
    )
    redis.disconnect()
  })

  it('refuses to start when Redis does not come in time, naming the reason and no password', async () => {
    const port = await freePort()
    const { logger, lines } = recordingLogger()
    const started = connectProducer(`redis://:hush@127.0.0.1:${port}`, logger, { readyWithinMs: 300 })
    await expect(started).rejects.toThrow(/not ready within 300 ms: .*ECONNREFUSED/)
    expect(lines.join()).not.toContain('hush')
  })

  it('refuses to start with a wrong password, without showing it', async () => {
    await using server = await startRedis()
    const { logger, lines } = recordingLogger()
    const admin = await connectProducer(server.url, logger)
    await admin.acl('SETUSER', 'other', 'on', '>right', '~*', '+@all')
    admin.disconnect()
    const url = server.url.replace('//', '//other:hush@')
    await expect(connectProducer(url, logger, { readyWithinMs: 300 })).rejects.toThrow('WRONGPASS')
    expect(lines.join()).toContain('WRONGPASS')
    expect(lines.join()).not.toContain('hush')
  })

  it('can start not ready, and becomes ready when Redis comes', async () => {
    const port = await freePort()
    const redis = await connectProducer(`redis://127.0.0.1:${port}`, recordingLogger().logger, { readyWithinMs: 0 })
    await expect(redis.ping()).rejects.toThrow()
    await using _server = await startRedis({ port })
    await untilReady(redis)
    expect(await redis.ping()).toBe('PONG')
    redis.disconnect()
  })

  it('can wait for Redis for as long as it takes', async () => {
    const port = await freePort()
    const { logger, lines } = recordingLogger()
    const connecting = connectProducer(`redis://127.0.0.1:${port}`, logger, { readyWithinMs: Number.POSITIVE_INFINITY })
    await eventually(() => lines.some((line) => line.includes('is away')))
    await using _server = await startRedis({ port })
    const redis = await connecting
    expect(await redis.ping()).toBe('PONG')
    redis.disconnect()
  })

  it('stops waiting when its connection is ended', async () => {
    const port = await freePort()
    const redis = await connectProducer(`redis://127.0.0.1:${port}`, recordingLogger().logger, { readyWithinMs: 0 })
    const waiting = expect(untilReady(redis)).rejects.toThrow('ended')
    redis.disconnect()
    await waiting
  })
})

describe('a worker connection', () => {
  it('holds its commands through an outage of Redis and loses none', async () => {
    await using server = await startRedis()
    const redis = connectWorker(server.url, recordingLogger().logger)
    await redis.rpush('list', 'before')
    await server.kill('SIGKILL')
    const during = redis.rpush('list', 'during')
    await server.restart()
    await during
    expect(await redis.lrange('list', 0, -1)).toEqual(['before', 'during'])
    redis.disconnect()
  })

  it('may start before Redis', async () => {
    const port = await freePort()
    const redis = connectWorker(`redis://127.0.0.1:${port}/1`, recordingLogger().logger)
    const answer = redis.ping()
    await using _server = await startRedis({ port })
    expect(await answer).toBe('PONG')
    redis.disconnect()
  })
})

describe('other forms of Redis', () => {
  it('finds the master that sentinels watch', async () => {
    await using master = await startRedis()
    const { binary, env } = await findRedisBinary()
    await using directory = await temporaryDirectory()
    const [port, config] = [await freePort(), join(directory.path, 'sentinel.conf')]
    await writeFile(config, `port ${port}\nsentinel monitor mymaster 127.0.0.1 ${master.port} 1\n`)
    const sentinel = spawn(binary, [config, '--sentinel'], { env, stdio: 'ignore' })
    await using _sentinel = { [Symbol.asyncDispose]: () => stopProcess(sentinel, follow(sentinel).ended, 5_000) }
    await untilRedisAnswers(port, { withinMs: 5_000 })
    const redis = connectWorker(`redis-sentinel://127.0.0.1:${port}/mymaster`, recordingLogger().logger)
    await redis.set('key', 'value')
    expect(redis.options).toMatchObject({ name: 'mymaster' })
    redis.disconnect()
  })

  it('speaks TLS to a server whose certificate it can verify, and to no other', async () => {
    await using directory = await temporaryDirectory()
    const [certFile, keyFile] = [join(directory.path, 'tls.crt'), join(directory.path, 'tls.key')]
    const { cert, key } = makeCertificate('redis')
    await writeFile(certFile, cert)
    await writeFile(keyFile, key)
    const port = await freePort()
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
    await using _server = await startRedis({
      extraArgs: ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'],
    })
    const url = `rediss://127.0.0.1:${port}`
    const { logger } = recordingLogger()
    await expect(connectProducer(url, logger, { readyWithinMs: 300 })).rejects.toThrow('self-signed certificate')

    const trusted = getCACertificates('default')
    setDefaultCACertificates([...trusted, cert])
    const redis = await connectProducer(url, logger)
    setDefaultCACertificates(trusted)
    expect(await redis.ping()).toBe('PONG')
    redis.disconnect()
  })

  it('speaks to a cluster, failing fast and waiting alike', { timeout: 20_000 }, async () => {
    await using server = await startRedis({
      extraArgs: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    })
    const node = new Redis(server.url)
    await node.cluster('ADDSLOTSRANGE', 0, 16_383)
    node.disconnect()
    const url = server.url.replace('redis:', 'redis-cluster:')
    const producer = await connectProducer(url, recordingLogger().logger)
    const worker = connectWorker(url, recordingLogger().logger)
    expect(producer).toBeInstanceOf(Cluster)
    await producer.set('{tieline}:key', 'value')
    expect(await worker.get('{tieline}:key')).toBe('value')

    await server.kill('SIGKILL')
    expect(await elapsedMs(() => expect(producer.get('{tieline}:key')).rejects.toThrow())).toBeLessThan(3_000)
    const held = worker.get('{tieline}:key')
    await server.restart()
    expect(await held).toBe('value')
    await eventually(() =>
      producer.get('{tieline}:key').then(
        (value) => value === 'value',
        () => false,
      ),
    )
    producer.disconnect()
    worker.disconnect()
  })
})
