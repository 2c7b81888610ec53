import { backoff, CallError, never, type Retry } from '@tieline/runtime/error'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { readStoredPayload, showMessage } from '../src/operations.ts'
import {
  answer,
  callError,
  dead,
  field,
  incoming,
  oneCall,
  openHarness,
  quickly,
  succeeded,
  targetThat,
} from './harness.ts'

const settled = (harness: Awaited<ReturnType<typeof openHarness>>, key: string, state: string) =>
  eventually(async () => (await field(harness.journal, key, 'state')) === state)

describe('an effect', () => {
  it('that is confirmed is not sent again when a later one fails', async () => {
    await using harness = await openHarness()
    const calls: string[] = []
    const message = incoming('enrollment-request', 'two-records')
    await harness.work([
      {
        flow: 'enrollment-request',
        async process(attempt) {
          const results: unknown[] = []
          for (const id of ['one', 'two']) {
            const target = targetThat(async () => {
              calls.push(id)
              if (id === 'two' && calls.length < 4) throw callError('failed')
              return answer({ enrollmentId: id })
            })
            results.push(await attempt.call(id, target, 'enroll', {}, { keep: ({ body }) => body }))
          }
          expect(results).toEqual([{ enrollmentId: 'one' }, { enrollmentId: 'two' }])
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(calls).toEqual(['one', 'two', 'two', 'two'])
  })

  it('that was refused is final within the generation and sent again in the next', async () => {
    await using harness = await openHarness()
    let calls = 0
    const message = incoming('stage-status', 'refused')
    await harness.work([
      oneCall('stage-status', async () => {
        calls++
        if (calls === 1) throw callError('refused')
        return answer()
      }),
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'refused')
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(calls).toBe(2)
  })

  it('whose repeat is refused after an unknown outcome stays unknown, never a refusal', async () => {
    await using harness = await openHarness()
    const fates = [callError('unknown'), callError('refused')]
    const codes: string[] = []
    const message = incoming('stage-status', 'unknown')
    await harness.work([
      {
        ...oneCall('stage-status', async () => {
          throw fates.shift() ?? callError('refused')
        }),
        giveUp: (_attempt, error) => {
          codes.push(error.code)
          return dead
        },
      },
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'dead')
    expect(codes).toEqual(['outcome-unknown'])
    const details = await showMessage(harness.journal, message.key)
    expect(details?.effects).toMatchObject([{ id: 'create', state: 'unknown', tries: 2, code: 'outcome-unknown' }])
  })

  it('stays unknown when a repeat does not reach the target', async () => {
    await using harness = await openHarness()
    const fates = [callError('unknown'), callError('failed'), callError('refused')]
    const message = incoming('stage-status', 'unreached')
    await harness.work([oneCall('stage-status', async () => Promise.reject(fates.shift()))])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'dead')
    expect(await field(harness.journal, message.key, 'state')).toBe('dead')
    expect((await showMessage(harness.journal, message.key))?.effects).toMatchObject([{ state: 'unknown', tries: 3 }])
  })

  it('is never begun by an attempt that another one replaced', async () => {
    await using harness = await openHarness()
    const message = incoming('stage-status', 'fenced')
    const calls: string[] = []
    const gate = Promise.withResolvers<void>()
    await harness.work([
      {
        flow: 'stage-status',
        async process(attempt) {
          if (attempt.number === 1) await gate.promise
          const target = targetThat(async () => {
            calls.push(`create by attempt ${attempt.number}`)
            return answer()
          })
          await attempt.call('create', target, 'create', {})
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    await accept(harness.journal, message)
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'processing')
    // Another worker takes the same run, as after a lock that ran out.
    const run = (await field(harness.journal, message.key, 'run')) ?? ''
    await harness.journal.run('take', { key: message.key, run, token: 'other', started: 2, made: 0, lookups: 1 })
    gate.resolve()
    await eventually(async () => {
      const queue = harness.journal.queues.all.find(({ name }) => name === 'stage-status')
      return (await queue?.getActiveCount()) === 0
    })
    expect(calls).toEqual([])
    expect(await field(harness.journal, message.key, 'token')).toBe('other')
  })
})

describe('trying again', () => {
  it('goes on until the time of the flow is over, then tells the end once', async () => {
    await using harness = await openHarness()
    let calls = 0
    const message = incoming('device-status-check', 'down')
    await harness.work(
      [
        oneCall('device-status-check', async () => {
          calls++
          throw callError('failed')
        }),
      ],
      { spec: quickly(0.3) },
    )
    await accept(harness.journal, message)
    await settled(harness, message.key, 'dead')
    expect(calls).toBeGreaterThan(1)
    const timeline = (await showMessage(harness.journal, message.key))?.timeline ?? []
    expect(timeline.filter(({ what }) => what === 'settled')).toHaveLength(1)
    expect(timeline.filter(({ what }) => what === 'retry')).toHaveLength(calls - 1)
  })

  it('does not count a postponement as a failure', async () => {
    await using harness = await openHarness()
    const message = incoming('enrollment-sync-ack', 'later')
    await harness.work([
      {
        flow: 'enrollment-sync-ack',
        async process(attempt) {
          if (attempt.number === 1) attempt.postpone(Date.now() + 30)
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(await field(harness.journal, message.key, 'failures')).toBe('0')
  })

  it('keeps a pinned choice for the whole generation', async () => {
    await using harness = await openHarness()
    const pins: string[] = []
    const message = incoming('enrollment-request', 'pinned')
    await harness.work([
      {
        flow: 'enrollment-request',
        async process(attempt) {
          pins.push(await attempt.pin('connection', () => `DACS_${attempt.number}`))
          if (attempt.number < 3) throw callError('failed')
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(pins).toEqual(['DACS_1', 'DACS_1', 'DACS_1'])
  })

  it('tells the administrators while it still tries, once', async () => {
    await using harness = await openHarness()
    const message = incoming('enrollment-sync-ack', 'alarm')
    const fate = { failing: true }
    await harness.work(
      [oneCall('enrollment-sync-ack', async () => (fate.failing ? Promise.reject(callError('failed')) : answer()))],
      {
        spec: (flow) => ({
          ...quickly(60)(flow),
          retry: { retryForS: 60, firstDelayMs: 20, capDelayMs: 20, alarmAfterS: 0.1 },
        }),
      },
    )
    await accept(harness.journal, message)
    await eventually(async () =>
      (await showMessage(harness.journal, message.key))?.timeline.some(({ what }) => what === 'notified'),
    )
    const attempts = Number(await field(harness.journal, message.key, 'attempts'))
    await eventually(async () => Number(await field(harness.journal, message.key, 'attempts')) > attempts + 2)
    fate.failing = false
    await settled(harness, message.key, 'succeeded')
    const timeline = (await showMessage(harness.journal, message.key))?.timeline ?? []
    expect(timeline.filter(({ what }) => what === 'notified')).toMatchObject([{ code: 'still-failing' }])
  })

  it('tells of a 401 at once, and of the end all the same although it has the same code', async () => {
    await using harness = await openHarness()
    const message = incoming('stage-status', 'denied')
    const denied = (retry: Retry) =>
      new CallError({
        code: 'target-unauthorized',
        retry,
        outcome: 'failed',
        connection: 'DACS_MAIN',
        message: 'DACS_MAIN: call answered 401',
        durationMs: 1,
        status: 401,
        farText: 'No account Reyes',
      })
    const notice = {
      kind: 'error',
      flow: 'stage-status',
      messageKey: message.key,
      code: 'target-unauthorized',
    } as const
    const more = { summary: 's', next: 'n', occurredAt: '2026-03-01T02:00:00Z', details: 'No account Reyes' }
    await harness.work(
      [
        oneCall('stage-status', async ({ number }) => Promise.reject(denied(number === 1 ? backoff : never)), {
          ...dead,
          code: 'target-unauthorized',
          notices: [{ ...notice, ...more }],
        }),
      ],
      { spec: (flow) => ({ ...quickly(60)(flow), retry: { ...quickly(60)(flow).retry, alarmAfterS: 60 } }) },
    )
    await accept(harness.journal, message)
    await settled(harness, message.key, 'dead')
    const ended = await showMessage(harness.journal, message.key)
    const told = (ended?.timeline ?? []).filter(({ what }) => what === 'notified')
    expect(told).toMatchObject([{ code: 'target-unauthorized' }, { code: 'target-unauthorized' }])
    for (const { notice: key } of told) {
      const kept = JSON.stringify(await readStoredPayload(harness.journal, String(key)))
      expect(kept).toContain('target-unauthorized')
      expect(kept).not.toContain('Reyes')
    }
    expect(ended?.reason).toBe('DACS_MAIN: call answered 401')
    expect(await field(harness.journal, message.key, 'reason')).not.toContain('answered')
  })
})
