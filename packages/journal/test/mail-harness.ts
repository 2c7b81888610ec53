import type { Notice } from '@tieline/contracts/notice'
import { eventually } from '@tieline/testkit/eventually'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { sweepOnce } from '../src/kernel/sweeper.ts'
import { joinWindow, type MailWindow } from '../src/mail/windows.ts'
import type { ScriptName } from '../src/schema.ts'
import type { Processor } from '../src/types.ts'
import {
  answer,
  field,
  incoming,
  type key32,
  oneCall,
  openHarness,
  quickly,
  succeeded,
  type Tables,
} from './harness.ts'

export const minuteMs = 60_000
const startMs = Date.parse('2026-03-01T02:00:00Z')

/** A failure at DACS_MAIN, told in windows of 15 minutes. */
export const failure = (id: string, more: Partial<MailWindow> = {}): MailWindow => ({
  id: 'error/stage-status/DACS_MAIN/target-unreachable',
  periodMs: 15 * minuteMs,
  about: {
    kind: 'error',
    flow: 'stage-status',
    code: 'target-unreachable',
    next: 'DERMS sends it again.',
    occurredAt: new Date(startMs).toISOString(),
    connection: 'DACS_MAIN',
  },
  entry: { summary: `${id} failed`, occurredAt: new Date(startMs).toISOString() },
  ...more,
})

/** A failure that tells that DACS_MAIN is down. */
export const outage = (id: string, since: number) => failure(id, { down: { connection: 'DACS_MAIN', since } })

interface MailOptions {
  readonly installation?: string
  readonly startAt?: number
  /** What workers and sweeps run on, such as a journal whose every script is sent twice. */
  readonly wrap?: (journal: Journal) => Journal
  readonly payloadKeys?: (typeof key32)[]
}

/**
 * A worker of notifications that only asks whether each is joined, and one of stage statuses whose target does as told.
 * Nothing is swept but by `sweep`, and time stands still but for `pass`.
 */
export async function openMails({ startAt = startMs, wrap = (journal) => journal, ...options }: MailOptions = {}) {
  let now = startAt
  const harness = await openHarness({ clock: () => now, ...options })
  const journal = wrap(harness.journal)
  const told = new Map<string, string[]>()
  const mails: Notice[] = []
  const failing = new Map<string, () => unknown>()
  let fate: Error | undefined

  const notifications: Processor<Tables> = {
    flow: 'notification',
    async process(attempt) {
      const payload = attempt.payload as MailWindow | Notice
      if ('kind' in payload) mails.push(payload)
      else told.set(attempt.id, [...(told.get(attempt.id) ?? []), await joinWindow(attempt, payload)])
      const meanwhile = failing.get(attempt.id)
      if (!failing.delete(attempt.id)) return succeeded
      await meanwhile?.()
      throw new Error('the mail server is away')
    },
    giveUp: () => ({ state: 'dead', outcome: 'FAILURE' }),
  }
  const statuses = oneCall('stage-status', async () => {
    if (fate) throw fate
    return answer()
  })
  await harness.work([notifications, statuses], {
    journal,
    sweepEveryMs: 3_600_000,
    spec: (flow) => (flow === 'notification' ? quickly(3_600)(flow) : quickly(0)(flow)),
  })

  const settles = (key: string) =>
    eventually(async () =>
      ['succeeded', 'refused', 'dead'].includes(String(await field(harness.journal, key, 'state'))),
    )
  return {
    ...harness,
    /** Digests and recoveries, in the order in which they were worked on. */
    mails,
    /** What every attempt of a notification was told. */
    told,
    /** Notifications whose next attempt fails, and what happens before it does. */
    failing,
    now: () => now,
    pass(ms: number) {
      now += ms
    },
    /** Hands a notification over, and waits for its end. @returns what its last attempt was told */
    async notify(id: string, window: MailWindow = failure(id)) {
      const message = incoming('notification', id, { payload: window })
      await accept(harness.journal, message)
      await settles(message.key)
      return told.get(id)?.at(-1)
    },
    /** A call on DACS_MAIN that ends so. */
    async call(id: string, error?: Error) {
      fate = error
      const message = incoming('stage-status', id)
      await accept(harness.journal, message)
      await settles(message.key)
    },
    /** One sweep, and the mails that are due by it are worked on. */
    async sweep(on: Journal = journal) {
      await sweepOnce(on)
      await eventually(async () => (await harness.redis.zcard(`${journal.base}:open`)) === 0)
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

/** Something happens between what a sweep reads and the first script of this name that it runs. */
export function before(script: ScriptName, journal: Journal, happens: () => Promise<unknown>): Journal {
  let happened = false
  return {
    ...journal,
    async run(name, ...more) {
      if (name === script && !happened) {
        happened = true
        await happens()
      }
      return journal.run(name, ...more)
    },
  }
}
