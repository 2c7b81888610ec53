import { backoff, CallError } from '@tieline/runtime/error'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it } from 'vitest'
import { closeMailWindows, tellRecovered } from '../src/mail/windows.ts'
import { callError, field, sentTwice } from './harness.ts'
import { before, failure, minuteMs, openMails, outage } from './mail-harness.ts'

const periodMs = 15 * minuteMs

/** What a target answers that is there but cannot. */
const answered = (status: number) =>
  new CallError({
    code: 'target-error',
    retry: backoff,
    outcome: 'unknown',
    connection: 'DACS_MAIN',
    message: `answered ${status}`,
    durationMs: 1,
    status,
  })

type Mails = Awaited<ReturnType<typeof openMails>>

const told = ({ mails }: Mails) => mails.map(({ kind, digest }) => (digest ? `digest of ${digest.count}` : kind))

describe('a connection that an e-mail told to be down', () => {
  it('is told to work again, once, a quiet minute after it answered; what was still to be said of it comes before', async () => {
    await using mails = await openMails()
    const since = mails.now() - 5_000
    await mails.notify('first', outage('first', since))
    await mails.notify('second', outage('second', since + 1_000))
    await mails.notify('elsewhere', failure('elsewhere', { id: 'another kind' }))
    await mails.notify('elsewhere 2', failure('elsewhere 2', { id: 'another kind' }))
    mails.pass(5 * minuteMs)
    await mails.call('a')
    const answeredAt = mails.now()
    mails.pass(minuteMs - 1)
    await mails.call('b')
    await mails.sweep()
    expect(mails.mails).toEqual([])

    mails.pass(1)
    await mails.sweep()
    await mails.sweep()
    expect(told(mails).sort()).toEqual(['digest of 1', 'recovered'])
    expect(mails.mails.find(({ kind }) => kind === 'recovered')).toEqual({
      kind: 'recovered',
      flow: 'notification',
      code: 'recovered',
      connection: 'DACS_MAIN',
      summary: 'DACS_MAIN works again since 2026-03-01 02:05:00 UTC; it had failed since 2026-03-01 01:59:55 UTC.',
      occurredAt: new Date(answeredAt).toISOString(),
      since: new Date(since).toISOString(),
      next: expect.stringContaining('goes on by itself'),
    })
    expect(await dueInOrder(mails)).toEqual(['stage-status', 'notification'])

    expect(await mails.notify('again', outage('again', mails.now()))).toBe('opened')
    expect(await mails.notify('elsewhere 3', failure('elsewhere 3', { id: 'another kind' }))).toBe('joined')
  })

  it('is told to be down and to work again as often as it happens', async () => {
    await using mails = await openMails()
    for (const round of ['1', '2']) {
      await mails.notify(`down ${round}`, outage('x', mails.now()))
      mails.pass(1_000)
      await mails.call(`up ${round}`)
      mails.pass(minuteMs)
      await mails.sweep()
    }
    expect(told(mails)).toEqual(['recovered', 'recovered'])
  })

  it.each([
    ['of no answer', callError('failed')],
    ['of a gateway', answered(503)],
  ])('a failure %s begins the quiet minute anew', async (_what, error) => {
    await using mails = await openMails()
    await mails.notify('down', outage('down', mails.now()))
    mails.pass(1_000)
    await mails.call('a')
    mails.pass(minuteMs / 2)
    await mails.call('b', error)
    mails.pass(minuteMs)
    await mails.sweep()
    expect(mails.mails).toEqual([])
    await mails.call('c')
    mails.pass(minuteMs - 1)
    await mails.sweep()
    expect(mails.mails).toEqual([])
    mails.pass(1)
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
  })

  it('a further e-mail about it begins the quiet minute anew, unless it is about what was before', async () => {
    await using mails = await openMails()
    const since = mails.now()
    await mails.notify('first', outage('first', since))
    mails.pass(1_000)
    await mails.call('a')
    mails.pass(minuteMs / 2)
    await mails.notify('late', outage('late', since + 500))
    mails.pass(minuteMs / 2)
    await mails.notify('listing', outage('listing', mails.now()))
    await mails.sweep()
    expect(mails.mails).toEqual([])
    await mails.call('b')
    mails.pass(minuteMs / 2)
    await mails.notify('late 2', outage('late 2', since + 600))
    mails.pass(minuteMs / 2)
    await mails.sweep()
    expect(told(mails)).toContain('recovered')
  })

  it('a refusal shows that it works, an error of one message says neither', async () => {
    await using mails = await openMails()
    await mails.notify('down', outage('down', mails.now()))
    mails.pass(1_000)
    await mails.call('error', answered(500))
    mails.pass(minuteMs)
    await mails.sweep()
    expect(mails.mails).toEqual([])
    await mails.call('refusal', callError('refused'))
    mails.pass(minuteMs / 2)
    await mails.call('another error', answered(500))
    mails.pass(minuteMs / 2)
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
  })

  it('a mail that is tried again long after it does not tell it down once more', async () => {
    await using mails = await openMails()
    mails.failing.set('first', async () => {
      mails.pass(minuteMs)
      await mails.call('a')
      mails.pass(minuteMs)
      await tellRecovered(mails.journal)
    })
    await mails.notify('first', outage('first', mails.now()))
    expect(mails.told.get('first')).toEqual(['opened', 'opened'])
    expect(await mails.redis.exists(`${mails.journal.base}:down`)).toBe(0)
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
  })

  it('is not told to work when it fails while that is looked at', async () => {
    await using mails = await openMails()
    await mails.notify('down', outage('down', mails.now()))
    await mails.call('a')
    mails.pass(minuteMs)
    await mails.sweep(before('recover', mails.journal, () => mails.call('b', callError('failed'))))
    expect(mails.mails).toEqual([])
    await mails.call('c')
    mails.pass(minuteMs)
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
  })

  it('is told also when nothing is joined', async () => {
    await using mails = await openMails()
    await mails.notify('down', { ...outage('down', mails.now()), periodMs: 0 })
    await mails.call('a')
    mails.pass(minuteMs)
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
  })
})

it('a connection that nobody told to be down is not told to work', async () => {
  await using mails = await openMails()
  await mails.call('a', callError('failed'))
  await mails.notify('refusals', failure('refusals'))
  await mails.call('b')
  mails.pass(minuteMs)
  await mails.sweep()
  expect(mails.mails).toEqual([])
  expect(await mails.redis.exists(`${mails.journal.base}:recovering`)).toBe(0)
})

it('what is kept of windows and connections is gone when all has been told', async () => {
  await using mails = await openMails()
  await mails.notify('first', outage('first', mails.now()))
  await mails.notify('second', outage('second', mails.now()))
  await mails.call('a')
  mails.pass(minuteMs)
  await mails.sweep()
  const kept = (await keysMatching(mails.redis, `${mails.journal.base}:*`)).map((key) =>
    key.slice(mails.journal.base.length + 1),
  )
  expect(kept.filter((key) => /^(w:|j:|windows|down|recovering)/.test(key))).toEqual([])
})

describe('scripts that Redis gets twice', () => {
  it('join once, make each mail due once, and leave it its job', async () => {
    await using mails = await openMails({ wrap: sentTwice })
    expect(await mails.notify('first', outage('first', mails.now()))).toBe('opened')
    for (const id of ['second', 'third']) expect(await mails.notify(id, outage(id, mails.now()))).toBe('joined')
    mails.pass(periodMs)
    await mails.sweep()
    await mails.notify('fourth', outage('fourth', mails.now()))
    mails.pass(1_000)
    await mails.call('a')
    mails.pass(minuteMs)
    await mails.sweep()
    await mails.sweep()
    expect(told(mails).sort()).toEqual(['digest of 1', 'digest of 2', 'recovered'])
  })

  it('tell a connection that answers once more down no more', async () => {
    await using mails = await openMails({ wrap: sentTwice })
    await mails.notify('first', outage('first', mails.now()))
    await mails.call('a')
    mails.pass(minuteMs)
    await Promise.all([tellRecovered(mails.journal), tellRecovered(mails.journal), closeMailWindows(mails.journal)])
    await mails.sweep()
    expect(told(mails)).toEqual(['recovered'])
    expect(await mails.redis.exists(`${mails.journal.base}:down`)).toBe(0)
  })
})

/** What the due mails are about, in the order in which they became due. */
async function dueInOrder({ journal, redis }: Mails): Promise<(string | undefined)[]> {
  const due = (await keysMatching(redis, `${journal.base}:m:notification.*`))
    .map((key) => key.slice(journal.base.length + 3))
    .filter((key) => !key.startsWith('notification.SITE1.'))
  const records = await Promise.all(due.map(async (key) => ({ key, seq: Number(await field(journal, key, 'seq')) })))
  return records.sort((a, b) => a.seq - b.seq).map(({ key }) => key.split('.')[1])
}
