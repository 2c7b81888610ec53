import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisProcess } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, inject, it } from 'vitest'
import { abortMessage } from '../src/abort.ts'
import { accept } from '../src/intake.ts'
import { reviveLost } from '../src/kernel/sweeper.ts'
import { showMessage } from '../src/operations.ts'
import { answer, field, incoming, oneCall, openHarness } from './harness.ts'

/** A target whose calls the test answers one by one. */
async function startTarget() {
  const calls: { key: string; answer: () => void }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => calls.push({ key: Buffer.concat(chunks).toString(), answer: () => response.end('ok') }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    calls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function startWorkerProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'worker-program.ts')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { child, [Symbol.asyncDispose]: () => kill(child) }
}

async function kill(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('a worker', () => {
  it('killed between the call and its confirmation: the repeat is journaled as of unknown outcome, and settles once', async () => {
    await using harness = await openHarness({ payloadKeys: [] })
    await using target = await startTarget()
    const env = {
      REDIS_URL: inject('redisUrl'),
      INSTALLATION: harness.installation,
      TARGET_URL: target.url,
      PAYLOADS: harness.directory,
    }
    const message = incoming('stage-status', 'killed')
    await accept(harness.journal, message)
    const first = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 1)
    await kill(first.child)
    await using _second = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 2)
    target.calls[1]?.answer()
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    const details = await showMessage(harness.journal, message.key)
    expect(details?.timeline).toMatchObject([
      { what: 'accepted' },
      { what: 'attempt', number: 1 },
      { what: 'attempt', number: 2, takenOver: true },
      { what: 'effect', state: 'unknown', code: 'crash' },
      { what: 'called', state: 'confirmed', try: 2 },
      { what: 'settled', state: 'succeeded' },
    ])
  })

  it('stopped past its lock and resumed writes nothing: the message settles once, by the other', async () => {
    await using harness = await openHarness({ payloadKeys: [] })
    await using target = await startTarget()
    const env = {
      REDIS_URL: inject('redisUrl'),
      INSTALLATION: harness.installation,
      TARGET_URL: target.url,
      PAYLOADS: harness.directory,
    }
    const message = incoming('stage-status', 'stopped')
    await accept(harness.journal, message)
    await using first = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 1)
    first.child.kill('SIGSTOP')
    await using second = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 2)
    target.calls[1]?.answer()
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    target.calls[0]?.answer()
    first.child.kill('SIGCONT')
    // The resumed worker is done with the old attempt when it takes new work.
    const next = incoming('stage-status', 'next')
    await kill(second.child)
    await accept(harness.journal, next)
    await eventually(() => target.calls.length === 3)
    target.calls[2]?.answer()
    await eventually(async () => (await field(harness.journal, next.key, 'state')) === 'succeeded')
    const timeline = (await showMessage(harness.journal, message.key))?.timeline ?? []
    expect(timeline.filter(({ what }) => what === 'settled')).toHaveLength(1)
    expect(timeline.filter(({ what }) => what === 'called')).toHaveLength(1)
  })
})

describe('an operator ends a message', () => {
  it('that a worker process has, which is then killed: it is not called again, and the next one goes', async () => {
    await using harness = await openHarness({ payloadKeys: [] })
    await using target = await startTarget()
    const env = {
      REDIS_URL: inject('redisUrl'),
      INSTALLATION: harness.installation,
      TARGET_URL: target.url,
      PAYLOADS: harness.directory,
    }
    const first = incoming('stage-status', 'first', { line: '1315' })
    const next = incoming('stage-status', 'next', { line: '1315' })
    for (const message of [first, next]) await accept(harness.journal, message)
    await using worker = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 1)
    const done = await abortMessage(harness.journal, first.key, { who: 'ana', why: 'off' }, () => ({}))
    expect(done).toEqual({ kind: 'ok', held: true })
    await kill(worker.child)
    await using _other = await startWorkerProcess(env)
    await eventually(() => target.calls.length === 2)
    target.calls[1]?.answer()
    await eventually(async () => (await field(harness.journal, next.key, 'state')) === 'succeeded')
    expect(target.calls.map(({ key }) => key)).toEqual([first.key, next.key])
    expect(await field(harness.journal, first.key, 'state')).toBe('discarded')
  })
})

describe('Redis', () => {
  it('killed between record and job: nobody is told "accepted", and the message runs once all the same', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tieline-kill-redis-'))
    const { binary, env } = await findRedisBinary()
    const place = { binary, dataDir, env }
    const redis = await startRedisProcess(place)
    let now = Date.now()
    await using harness = await openHarness({ redisUrl: redis.url, clock: () => now })
    const { journal } = harness
    const message = incoming('stage-status', 'no-job')
    let killed = false
    const add = async () => {
      if (!killed) await eventually(async () => (await field(journal, message.key, 'state')) === 'accepted')
      if (!killed) await redis.kill('SIGKILL')
      killed = true
      throw new Error('Redis went away')
    }
    await expect(accept({ ...journal, queues: { ...journal.queues, add } }, message)).rejects.toThrow('went away')
    await using _restarted = await startRedisProcess({ ...place, port: redis.port })
    expect(await field(journal, message.key, 'state')).toBe('accepted')
    now += 20_000
    await reviveLost(journal)
    let calls = 0
    await harness.work([oneCall('stage-status', async () => answer({ n: ++calls }))])
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    expect(calls).toBe(1)
    const timeline = (await showMessage(journal, message.key))?.timeline ?? []
    expect(timeline.map(({ what }) => what)).toEqual(['accepted', 'revived', 'attempt', 'called', 'settled'])
    await harness[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('killed and started again loses nothing that was accepted, and workers consume at once', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tieline-kill-redis-'))
    const { binary, env } = await findRedisBinary()
    const place = { binary, dataDir, ...(env && { env }) }
    const redis = await startRedisProcess(place)
    await using harness = await openHarness({ redisUrl: redis.url })
    const ids = Array.from({ length: 50 }, (_, i) => `m${i}`)
    for (const id of ids) await accept(harness.journal, incoming('stage-status', id))
    const run = new Set<string>()
    await harness.work(
      [
        oneCall('stage-status', async (attempt) => {
          run.add(attempt.id)
          if (run.size === 10) await redis.kill('SIGKILL')
          return answer()
        }),
      ],
      { concurrency: 5, lockMs: 1_000, stalledCheckMs: 500 },
    )
    await eventually(() => redis.process.exitCode !== null || redis.process.signalCode !== null)
    await using restarted = await startRedisProcess({ ...place, port: redis.port })
    expect(restarted.port).toBe(redis.port)
    await eventually(
      async () => (await harness.redis.zcard(`${harness.journal.base}:s:stage-status:succeeded`)) === ids.length,
    )
    for (const id of ids) {
      const timeline = (await showMessage(harness.journal, `stage-status.SITE1.${id}`))?.timeline ?? []
      expect(timeline.filter(({ what }) => what === 'settled')).toHaveLength(1)
    }
    await harness[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  })
})
