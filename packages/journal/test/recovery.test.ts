import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it } from 'vitest'
import { accept, leaveUncollected } from '../src/intake.ts'
import { reviveLost, trimExpired } from '../src/kernel/sweeper.ts'
import { countMessages, findMessages, listMessages, readStoredPayload, showMessage } from '../src/operations.ts'
import { answer, callError, field, incoming, key32, oneCall, openHarness, refused } from './harness.ts'

const notice = (messageKey: string) =>
  ({
    kind: 'error',
    flow: 'stage-status',
    messageKey,
    code: 'target-refused',
    summary: 'refused',
    attempts: 1,
    occurredAt: '2026-11-22T00:00:00Z',
    next: 'nothing',
  }) as const

it('a message whose script Redis did not know is worked on, although its job had come before it', async () => {
  await using harness = await openHarness()
  const { journal, redis } = harness
  await harness.work([oneCall('stage-status', async () => answer())])
  const message = incoming('stage-status', 'after-a-restart')
  const callBuffer = redis.callBuffer.bind(redis)
  const queue = journal.queues.all.find(({ name }) => name === 'stage-status')
  Object.assign(redis, {
    async callBuffer(...command: Parameters<typeof callBuffer>) {
      const isAccept = command.some((part) => String(part).includes(`"${message.hash}"`))
      if (!isAccept) return callBuffer(...command)
      if (command[0] === 'EVALSHA') throw new Error('NOSCRIPT No matching script')
      // A worker has taken the job meanwhile, and found nothing to do.
      const [, run = ''] = /"run":"([^"]+)"/.exec(command.map(String).join()) ?? []
      await eventually(async () => (await queue?.getJob(run))?.finishedOn !== undefined)
      return callBuffer(...command)
    },
  })
  await accept(journal, message)
  await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
  const timeline = (await showMessage(journal, message.key))?.timeline ?? []
  expect(timeline.map(({ what }) => what)).toEqual(['accepted', 'attempt', 'called', 'settled'])
})

describe('the sweeper', () => {
  it('gives a message whose job was never added a run of its own', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const message = incoming('stage-status', 'no-job')
    const cut = {
      ...journal,
      queues: { ...journal.queues, add: async () => Promise.reject(new Error('Redis went away')) },
    }
    await expect(accept(cut, message)).rejects.toThrow('Redis went away')
    const lost = await field(journal, message.key, 'run')
    await reviveLost(journal)
    expect(await field(journal, message.key, 'run')).toBe(lost)
    now += 20_000
    await reviveLost(journal)
    expect(await field(journal, message.key, 'run')).not.toBe(lost)
    let calls = 0
    await harness.work([oneCall('stage-status', async () => answer({ n: ++calls }))])
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    expect(calls).toBe(1)
  })

  it('leaves a message alone whose job only waits its turn', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const message = incoming('stage-status', 'queued')
    await accept(harness.journal, message)
    const run = await field(harness.journal, message.key, 'run')
    now += 20_000
    await reviveLost(harness.journal)
    expect(await field(harness.journal, message.key, 'run')).toBe(run)
  })

  it('releases the head of a line whose release was lost, and no other', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    for (const id of ['a', 'b', 'c']) await accept(journal, incoming('stage-status', id, { line: 'L' }))
    // As after a crash in the middle of things: nobody of the line has a job.
    await harness.redis.hset(`${journal.base}:m:stage-status.SITE1.a`, 'state', 'waiting')
    now += 60_000
    await reviveLost(journal)
    expect(await field(journal, 'stage-status.SITE1.a', 'state')).toBe('accepted')
    expect(await field(journal, 'stage-status.SITE1.b', 'state')).toBe('waiting')
    expect(await field(journal, 'stage-status.SITE1.c', 'state')).toBe('waiting')
  })
})

describe('a due e-mail', () => {
  it('is a message of its own, made by the script that settles, once', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('stage-status', 'mail')
    const mails: unknown[] = []
    await harness.work([
      {
        ...oneCall('stage-status', async () => Promise.reject(callError('refused'))),
        async process(attempt) {
          await attempt.note({ what: 'looked', at: 1 })
          return { ...refused, notices: [notice(attempt.key)] }
        },
      },
      {
        flow: 'notification',
        async process(attempt) {
          mails.push(attempt.payload)
          return { state: 'succeeded', outcome: 'SUCCESS' }
        },
        giveUp: () => refused,
      },
    ])
    await accept(journal, message)
    await eventually(() => mails.length === 1)
    expect(mails).toEqual([notice(message.key)])
    expect(await findMessages(journal, message.key)).toHaveLength(2)
    const counts = await countMessages(journal)
    expect(counts.find(({ flow }) => flow === 'stage-status')?.counts.refused).toBe(1)
  })

  it('comes for a result that is no success and that nobody collects within the hour', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const codes: string[] = []
    await harness.work([
      oneCall('enrollment-request', async () => Promise.reject(callError('refused'))),
      {
        flow: 'notification',
        async process(attempt) {
          codes.push((attempt.payload as { code: string }).code)
          return { state: 'succeeded', outcome: 'SUCCESS' }
        },
        giveUp: () => refused,
      },
    ])
    const accepted = await accept(journal, incoming('enrollment-request', 'uncollected'))
    await leaveUncollected(journal, accepted, 'provisional')
    await eventually(async () => (await field(journal, accepted.key, 'state')) === 'refused')
    now += 59 * 60_000
    await eventually(async () => (await harness.redis.pttl(`${journal.base}:sweeper`)) < 0)
    expect(codes).toEqual([])
    now += 2 * 60_000
    await eventually(() => codes.length === 1)
    expect(codes).toEqual(['reply-uncollected'])
  })
})

describe('what is kept', () => {
  it('is unreadable without the key, readable after a rotation, and bound to its message', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('stage-status', 'secret', { payload: { name: 'Reyes, Ana' } })
    await accept(journal, message)
    const stored = String(await harness.redis.get(`${journal.base}:p:${message.key}`))
    expect(stored).not.toContain('Reyes')
    await using rotated = await openHarness({
      installation: harness.installation,
      payloadKeys: [{ id: 'k2', key: Buffer.alloc(32, 9) }, key32],
    })
    expect(await readStoredPayload(rotated.journal, message.key)).toEqual({ name: 'Reyes, Ana' })
    await using stranger = await openHarness({
      installation: harness.installation,
      payloadKeys: [{ id: 'k1', key: Buffer.alloc(32, 1) }],
    })
    await expect(readStoredPayload(stranger.journal, message.key)).rejects.toThrow('cannot be read')
    expect(() => journal.sealer.open(stored, 'other:payload')).toThrow('cannot be read')
  })

  it('goes to the file store above 4 MiB, and leaves it with its message', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const payload = { text: 'x'.repeat(5 * 1024 * 1024) }
    const message = incoming('enrollment-request', 'large', { payload })
    await accept(journal, message)
    expect(await harness.redis.exists(`${journal.base}:p:${message.key}`)).toBe(0)
    expect(await readStoredPayload(journal, message.key)).toEqual(payload)
    await harness.work([
      oneCall('enrollment-request', async (attempt) => answer(JSON.stringify(attempt.payload).length)),
    ])
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    const reference = String(await field(journal, message.key, 'payloadRef'))
    expect(reference).not.toBe('')
    now += 25 * 3_600_000
    await trimExpired(journal)
    await expect(Array.fromAsync(journal.payloads.open(reference))).rejects.toThrow('does not have')
    expect(await field(journal, message.key, 'state')).toBe('succeeded')
  })

  it('is forgotten after the retention, down to the last key', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const workers = await harness.work([oneCall('stage-status', async () => answer())])
    const message = incoming('stage-status', 'old', { terms: ['old', '1315'] })
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    await workers[Symbol.asyncDispose]()
    expect(await listMessages(journal, { flow: 'stage-status' })).toHaveLength(1)
    now += 33 * 24 * 3_600_000
    await trimExpired(journal)
    expect(await showMessage(journal, message.key)).toBeUndefined()
    const left = (await keysMatching(harness.redis, `${journal.base}:*`))
      .map((key) => key.slice(journal.base.length + 1))
      .sort()
    expect(left).toEqual(['seq', 'workers'])
  })
})
