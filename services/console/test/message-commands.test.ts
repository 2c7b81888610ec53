import { readAudit, showMessage } from '@tieline/journal/operations'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openInstallation, planted } from './harness.ts'

let site: Awaited<ReturnType<typeof openInstallation>>

beforeAll(async () => {
  site = await openInstallation()
})

afterAll(() => site[Symbol.asyncDispose]())

describe('messages', () => {
  it('finds a message by an id that it carries, whatever its case', async () => {
    const key = await site.settle('find-me', 'dead')
    expect(await site.run('messages', 'find', 'FIND-ME')).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^key .*\\n${key} +F7 +dead +target-error`)),
    })
    expect(await site.run('messages', 'find', 'nobody')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/No message/),
    })
  })

  it('shows what happened to a message in local time and in UTC, and never its payload or its reply', async () => {
    const key = await site.settle('shown', 'dead')
    const { code, out } = await site.run('messages', 'show', key)
    expect(code).toBe(0)
    expect(out).toMatch(/^message +stage-status\.SITE1\.shown\nflow +F7 Program event/)
    expect(out).toMatch(/state +dead since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)/)
    expect(out).toMatch(/\) +attempt +.*number=1/)
    expect(out).toMatch(/\) +settled +state=dead outcome=FAILURE code=target-error/)
    const asJson = await site.run('messages', 'show', key, '--json')
    expect(JSON.parse(asJson.out)).toMatchObject({ key, state: 'dead', timeline: expect.any(Array), effects: [] })
    expect(out + asJson.out).not.toContain(planted)
    expect(await site.run('messages', 'show', 'no.such.key')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/There is no message no\.such\.key/),
    })
  })

  it('lists by flow, state, code and time, and says when there is more', async () => {
    const key = await site.settle('listed', 'dead')
    const filter = ['--flow', 'F7', '--state', 'dead', '--code', 'target-error', '--since', '5m']
    expect((await site.run('messages', 'list', ...filter)).out).toContain(key)
    expect((await site.run('messages', 'list', '--state', 'succeeded')).out).toBe('No such messages.\n')
    expect((await site.run('messages', 'list', '--since', '2999-01-01')).out).toBe('No such messages.\n')
    expect((await site.run('messages', 'list', '--limit', '1')).out).toContain('These are the latest 1;')
    expect(JSON.parse((await site.run('messages', 'list', '--limit', '1', '--json')).out)).toHaveLength(1)
  })

  it('reruns only what is settled, with a reason that goes into the audit', async () => {
    const key = await site.settle('again', 'dead')
    expect(await site.run('messages', 'rerun', key)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--reason is required[\s\S]*Usage:/),
    })
    expect(await showMessage(site.journal, key)).toMatchObject({ generation: 1 })
    const why = ['--reason', 'DACS was patched', '--who', 'ann']
    expect(await site.run('messages', 'rerun', key, '--from-start', ...why)).toMatchObject({
      code: 0,
      out: `Generation 2 of ${key} starts.\n`,
    })
    await site.reaches(key, 'dead')
    expect(await readAudit(site.journal)).toContainEqual(
      expect.objectContaining({ who: 'ann', why: 'DACS was patched', key }),
    )
    const { out } = await site.run('audit', 'list', '--limit', '1')
    expect(out).toMatch(new RegExp(`^at .*\\n.*Z\\) +ann +resubmit +${key} +DACS was patched\\n$`))
    expect(await site.run('messages', 'rerun', 'no.such.key', ...why)).toMatchObject({ code: 1 })
  })

  it('does not disturb a message that is still being worked on', async () => {
    const key = await site.settle('open', 'accepted', 'enrollment-request')
    expect(await site.run('messages', 'rerun', key, '--reason', 'impatience')).toMatchObject({
      code: 1,
      err: `${key} is still being worked on; nothing was changed.\n`,
    })
  })
})

describe('dead letters', () => {
  it('one is resubmitted, and nothing that is no dead letter', async () => {
    const key = await site.settle('one', 'dead')
    expect(await site.run('dead', 'list', '--flow', 'stage-status')).toMatchObject({
      code: 0,
      out: expect.stringContaining(key),
    })
    expect(await site.run('dead', 'resubmit', key, '--reason', 'try again')).toMatchObject({ code: 0, err: '' })
    await site.reaches(key, 'dead')
    expect(await showMessage(site.journal, key)).toMatchObject({ generation: 2 })
    await site.run('dead', 'discard', key, '--reason', 'obsolete', '--who', 'ann')
    expect(await showMessage(site.journal, key)).toMatchObject({ state: 'discarded' })
    expect(await readAudit(site.journal)).toContainEqual(
      expect.objectContaining({ what: 'discard', who: 'ann', why: 'obsolete', key }),
    )
    for (const what of ['resubmit', 'discard']) {
      expect(await site.run('dead', what, key, '--reason', 'too late')).toMatchObject({
        code: 1,
        err: `${key} is no dead letter; nothing was changed.\n`,
      })
    }
  })

  it('many are resubmitted by a filter, after a look at which they are', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, (_, i) => site.settle(`many-${i}`, 'dead')))
    const filter = ['--filter', 'flow=F7,code=target-error,since=1h']
    const look = await site.run('dead', 'resubmit', ...filter, '--dry-run')
    for (const key of keys) expect(look.out).toContain(key)
    expect(look.out).toContain('would be resubmitted; nothing was changed.')
    expect((await showMessage(site.journal, keys[0] ?? ''))?.generation).toBe(1)

    site.recover()
    expect(await site.run('dead', 'resubmit', ...filter)).toMatchObject({ code: 2 })
    const all = await site.run('dead', 'resubmit', ...filter, '--reason', 'DACS is back')
    expect(all).toMatchObject({ code: 0, out: expect.stringMatching(/^(\d+) of \1 dead letters resubmitted\.\n$/) })
    for (const key of keys) await site.reaches(key, 'succeeded')
    expect((await site.run('dead', 'resubmit', ...filter, '--reason', 'x')).out).toBe('No such dead letters.\n')
    expect((await site.run('dead', 'list')).out).toBe('No dead letters.\n')
  })

  it.each([
    [['dead', 'resubmit', '--reason', 'x'], 'Say either a key or --filter'],
    [['dead', 'resubmit', 'k', '--filter', 'flow=F7', '--reason', 'x'], 'Say either a key or --filter'],
    [['dead', 'resubmit', '--filter', '', '--reason', 'x'], '--filter takes flow='],
    [['dead', 'resubmit', '--filter', 'state=dead', '--reason', 'x'], '--filter takes flow='],
    [['dead', 'resubmit', '--filter', 'flow=F99', '--reason', 'x'], 'There is no such flow'],
    [['dead', 'resubmit', 'k', '--dry-run'], '--dry-run goes with --filter'],
    [['dead', 'list', '--code', 'nonsense'], 'There is no such code'],
    [['dead', 'list', '--since', 'yesterday'], 'since takes'],
    [['messages', 'list', '--state', 'lost'], 'There is no such state'],
    [['messages', 'list', '--limit', '0'], '--limit takes'],
  ])('refuses %j', async (args, sentence) => {
    const { code, out, err } = await site.run(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
  })
})

it('tells of every flow how it stands', async () => {
  await site.settle('status', 'succeeded')
  const { out } = await site.run('flows', 'status')
  expect(out).toMatch(/^flow .*oldest open +worker +queue/)
  expect(out).toMatch(/\nF7 +stage-status +0 .* alive +runs/)
  expect(out).toMatch(/\nF1 +enrollment-request +1 .* s +never seen +runs/)
  const json = JSON.parse((await site.run('flows', 'status', '--json')).out)
  expect(json).toContainEqual(expect.objectContaining({ flow: 'stage-status', counts: expect.anything() }))
})
