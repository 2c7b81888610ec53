import { randomUUID } from 'node:crypto'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it } from 'vitest'
import { closeMailWindows } from '../src/mail/windows.ts'
import { rerunMessage } from '../src/operations.ts'
import { key32 } from './harness.ts'
import { before, failure, minuteMs, openMails } from './mail-harness.ts'

const periodMs = 15 * minuteMs

describe('e-mails of one kind', () => {
  it('the first goes out, also when it has to be tried again; the others join', async () => {
    await using mails = await openMails()
    mails.failing.set('first', () => undefined)
    expect(await mails.notify('first')).toBe('opened')
    expect(mails.told.get('first')).toEqual(['opened', 'opened'])
    expect(await mails.notify('second')).toBe('joined')
    expect(await mails.notify('third')).toBe('joined')
    expect(await mails.notify('other', failure('other', { id: 'another kind' }))).toBe('opened')
  })

  it('a window that nobody joined closes without a word: the next one is told at once', async () => {
    await using mails = await openMails()
    await mails.notify('first')
    mails.pass(periodMs - 1)
    await mails.sweep()
    expect(await keysMatching(mails.redis, `${mails.journal.base}:w:*`)).toHaveLength(1)
    mails.pass(1)
    await mails.sweep()
    expect(await keysMatching(mails.redis, `${mails.journal.base}:w*`)).toEqual([`${mails.journal.base}:workers`])
    expect(mails.mails).toEqual([])
    expect(await mails.notify('second')).toBe('opened')
  })

  it('those that joined are one digest, at most a hundred by name; then the window goes on', async () => {
    await using mails = await openMails()
    await mails.notify('first')
    const since = new Date(mails.now()).toISOString()
    mails.pass(minuteMs)
    const ids = Array.from({ length: 120 }, (_, i) => `m${i}`)
    await Promise.all(ids.map((id) => mails.notify(id)))
    mails.pass(periodMs)
    await mails.sweep()
    await mails.sweep()
    expect(mails.mails).toMatchObject([
      {
        kind: 'error',
        flow: 'stage-status',
        code: 'target-unreachable',
        connection: 'DACS_MAIN',
        next: 'DERMS sends it again.',
        summary:
          'Program event (stage) status: 120 more failures of the same kind at DACS_MAIN since 2026-03-01 02:00:00 UTC.',
        occurredAt: new Date(mails.now()).toISOString(),
        digest: { count: 120, since, first: since },
      },
    ])
    const named = (i: number) => mails.mails[i]?.digest?.named.map(({ summary }) => summary)
    expect(new Set(named(0)).size).toBe(100)

    expect(await mails.notify('late')).toBe('joined')
    mails.pass(periodMs)
    await mails.sweep()
    expect(mails.mails[1]?.digest).toMatchObject({ count: 1, since: new Date(mails.now() - periodMs).toISOString() })
    expect(mails.mails[1]?.digest?.first).toBe(since)
    expect(named(1)).toEqual(['late failed'])

    mails.pass(periodMs)
    await mails.sweep()
    expect(mails.mails).toHaveLength(2)
    expect(await mails.notify('new')).toBe('opened')
  })

  it('nothing is joined in a window of no length, nor opens one', async () => {
    await using mails = await openMails()
    for (const id of ['a', 'b']) expect(await mails.notify(id, failure(id, { periodMs: 0 }))).toBe('opened')
    await mails.notify('c')
    expect(await mails.notify('d', failure('d', { periodMs: 0 }))).toBe('opened')
    expect(await mails.redis.zcard(`${mails.journal.base}:windows`)).toBe(1)
  })

  it('windows and what has joined them survive a restart, sealed', async () => {
    const installation = `j-${randomUUID()}`
    const stopped = await openMails({ installation })
    await stopped.notify('first')
    await stopped.notify('second', failure('planted'))
    for (const key of await keysMatching(stopped.redis, `${stopped.journal.base}:j:*`)) {
      expect((await stopped.redis.lrange(key, 0, -1)).join()).not.toContain('planted')
    }
    await stopped[Symbol.asyncDispose]()

    await using after = await openMails({ installation, startAt: stopped.now() + minuteMs })
    expect(await after.notify('third')).toBe('joined')
    after.pass(periodMs)
    await after.sweep()
    expect(after.mails.map(({ digest }) => digest?.count)).toEqual([2])
  })

  it('what was sealed with a key that is gone is still counted', async () => {
    const installation = `j-${randomUUID()}`
    const stopped = await openMails({ installation })
    await stopped.notify('first')
    await stopped.notify('second')
    await stopped[Symbol.asyncDispose]()
    const payloadKeys = [{ ...key32, id: 'k2' }]
    await using after = await openMails({ installation, startAt: stopped.now() + periodMs, payloadKeys })
    await after.sweep()
    expect(after.mails.map(({ digest }) => digest)).toMatchObject([{ count: 1, named: [] }])
  })
})

describe('a notification that joins', () => {
  it('is counted once, also when its attempt comes again after the digest; run again by an operator it joins again', async () => {
    await using mails = await openMails()
    await mails.notify('first')
    mails.failing.set('second', async () => {
      mails.pass(periodMs)
      await closeMailWindows(mails.journal)
    })
    await mails.notify('second')
    expect(mails.told.get('second')).toEqual(['joined', 'joined'])
    mails.pass(periodMs)
    await mails.sweep()
    expect(mails.mails.map(({ digest }) => digest?.count)).toEqual([1])

    await mails.notify('third')
    const again = await rerunMessage(mails.journal, 'notification.SITE1.second', {
      who: 'ops',
      why: 'test',
      fromStart: false,
    })
    expect(again.kind).toBe('ok')
    await mails.sweep()
    expect(mails.told.get('second')).toEqual(['joined', 'joined', 'joined'])
    mails.pass(periodMs)
    await mails.sweep()
    expect(mails.mails.map(({ digest }) => digest?.count)).toEqual([1, 1])
  })

  it('while the sweeper closes is in the next digest', async () => {
    await using mails = await openMails()
    await mails.notify('first')
    await mails.notify('second')
    mails.pass(periodMs)
    await mails.sweep(before('close-window', mails.journal, () => mails.notify('third')))
    expect(named(mails)).toEqual([['second failed']])
    mails.pass(periodMs)
    await mails.sweep()
    expect(named(mails)).toEqual([['second failed'], ['third failed']])
  })

  it('while the sweeper closes for want of anybody is in a digest of its own', async () => {
    await using mails = await openMails()
    await mails.notify('first')
    mails.pass(periodMs)
    await mails.sweep(before('close-window', mails.journal, () => mails.notify('second')))
    expect(named(mails)).toEqual([])
    await mails.sweep()
    expect(named(mails)).toEqual([['second failed']])
  })

  it('is told exactly once, however many come and several sweepers close', async () => {
    await using mails = await openMails()
    const ids = Array.from({ length: 300 }, (_, i) => `m${i}`)
    let coming = true
    const sweeping = (async () => {
      while (coming) {
        mails.pass(periodMs)
        await Promise.all([closeMailWindows(mails.journal), closeMailWindows(mails.journal)])
      }
    })()
    for (let i = 0; i < ids.length; i += 20) await Promise.all(ids.slice(i, i + 20).map((id) => mails.notify(id)))
    coming = false
    await sweeping
    for (const _ of [1, 2]) {
      mails.pass(periodMs)
      await mails.sweep()
    }
    const alone = ids.filter((id) => mails.told.get(id)?.includes('opened')).map((id) => `${id} failed`)
    expect([...alone, ...named(mails).flat()].sort()).toEqual(ids.map((id) => `${id} failed`).sort())
    expect(mails.mails.reduce((sum, { digest }) => sum + (digest?.count ?? 0), alone.length)).toBe(ids.length)
    expect(mails.mails.length).toBeGreaterThan(1)
  })
})

type Mails = Awaited<ReturnType<typeof openMails>>

const named = ({ mails }: Mails) => mails.map(({ digest }) => digest?.named.map(({ summary }) => summary))
