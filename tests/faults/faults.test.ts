import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisProcess } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { startPipeline } from '@tieline/testkit/pipeline'
import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { startProcesses } from './processes.ts'

const stage = (id: string) => ({ ...examples['stage-status'], messageId: `STG-${id}`, stageId: id })

async function ownRedis(...extraArgs: string[]) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tieline-fault-redis-'))
  const { binary, env } = await findRedisBinary()
  const place = { binary, env, dataDir, extraArgs }
  const first = await startRedisProcess(place)
  let running = first
  return {
    url: first.url,
    kill: () => running.kill('SIGKILL'),
    async restart() {
      running = await startRedisProcess({ ...place, port: first.port })
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

describe('the ingress', () => {
  it('killed while a caller waits loses nothing: the work goes on, and the repeat collects its result', async () => {
    await using world = await startProcesses({ redisUrl: inject('redisUrl') })
    await using ingress = await world.run('ingress')
    await using _workers = await world.run('events')
    await ingress.ready()
    world.dacs.latency({ ms: 500, operation: 'createProgramEvent' })
    const row = world.derms.send('stage-status', stage('7001'))
    await eventually(() => world.dacs.count('createProgramEvent') === 1)
    await ingress.kill('ingress', 'SIGKILL')
    const { id, status } = await row
    expect(status).toBe('FAIL')
    const done = await world.derms.whenDone(id)
    expect(readMsgAck(done.answers.at(-1)?.body)).toMatchObject({ ackType: 'SUCCESS' })
    expect(world.dacs.count('createProgramEvent')).toBe(1)
  })

  it('killed right after its 202 has handed the message on', async () => {
    await using world = await startProcesses({ redisUrl: inject('redisUrl') })
    await using ingress = await world.run('ingress')
    await ingress.ready()
    world.dacs.register({ syncRequestId: '15449036987849' })
    const { answers } = await world.derms.send('enrollment-sync-ack', examples['enrollment-sync-ack'])
    expect(answers[0]?.status).toBe(202)
    await ingress.kill('ingress', 'SIGKILL')
    await using _workers = await world.run('enrollment')
    await eventually(() => world.dacs.count('updateSyncRequest') === 1)
  })
})

describe('a worker service', () => {
  it('killed in the middle of a message: another process finishes it, and DACS has it once', async () => {
    await using world = await startProcesses({ redisUrl: inject('redisUrl') })
    await using services = await world.run('ingress', 'events')
    await services.ready()
    world.dacs.latency({ ms: 400, operation: 'createProgramEvent' })
    const row = world.derms.send('stage-status', stage('7002'))
    await eventually(() => world.dacs.count('createProgramEvent') === 1)
    await services.kill('events', 'SIGKILL')
    const done = await world.derms.whenDone((await row).id)
    expect(done.status).toBe('SUCCESS')
    expect(
      world.dacs.received.filter(({ operation, applied }) => operation === 'createProgramEvent' && applied),
    ).toHaveLength(1)
  })
})

describe('Redis', () => {
  it('away: 503 with Retry-After while it is away; back: messages are accepted and workers consume', async () => {
    await using redis = await ownRedis()
    await using pipeline = await startPipeline({ redisUrl: redis.url, services: ['events'] })
    expect((await pipeline.post('stage-status', stage('7003'))).status).toBe(200)
    await redis.kill()
    const refused = await pipeline.post('stage-status', stage('7004'))
    expect(refused).toMatchObject({ status: 503, body: { status: 503, code: 'store-unavailable' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await redis.restart()
    const accepted = await eventually(async () => {
      const answer = await pipeline.post('stage-status', stage('7004'))
      return answer.status === 503 ? undefined : answer
    })
    expect(readMsgAck(accepted.body)).toMatchObject({ ackType: 'SUCCESS' })
    expect(pipeline.dacs.count('createProgramEvent')).toBe(2)
  })

  it('filled to its limit: new messages are refused, accepted ones settle, nothing settles twice', async () => {
    await using redis = await ownRedis('--maxmemory', '24mb')
    await using pipeline = await startPipeline({
      redisUrl: redis.url,
      services: ['events'],
      tuning: { lockMs: 2_000, stalledCheckMs: 1_000 },
    })
    const filler = new Redis(redis.url)
    pipeline.dacs.latency({ ms: 300, operation: 'createProgramEvent' })
    const running = pipeline.post('stage-status', stage('7005'))
    await eventually(() => pipeline.dacs.count('createProgramEvent') === 1)
    // Full beyond the last byte while DACS answers: the confirmation cannot be written.
    for (let i = 0, size = 1024 * 1024; size > 1_024; i++) {
      await filler.set(`filler:${i}`, Buffer.alloc(size)).catch(() => {
        size = Math.floor(size / 2)
      })
    }
    const refused = await eventually(async () => {
      const answer = await pipeline.post('stage-status', stage('7006'))
      return answer.status === 503 ? answer : undefined
    })
    expect(refused.headers.get('retry-after')).not.toBeNull()
    await filler.del(await filler.keys('filler:*'))
    filler.disconnect()
    const details = await pipeline.until('stage-status.SITE1.STG-7005', 'succeeded')
    expect(readMsgAck((await running).body)).toMatchObject({ ackType: 'SUCCESS' })
    expect(details.timeline.filter(({ what }) => what === 'settled')).toHaveLength(1)
    const accepted = await eventually(async () => {
      const answer = await pipeline.post('stage-status', stage('7006'))
      return answer.status === 503 ? undefined : answer
    })
    expect(readMsgAck(accepted.body)).toMatchObject({ ackType: 'SUCCESS' })
  })
})
