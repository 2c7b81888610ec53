import { readAudit, showMessage } from '@tieline/journal/operations'
import { keepRefusal } from '@tieline/journal/refusals/refusals'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openInstallation, planted } from './harness.ts'

let site: Awaited<ReturnType<typeof openInstallation>>
beforeAll(async () => {
  site = await openInstallation()
})
afterAll(() => site[Symbol.asyncDispose]())

/** A request of the client was refused at the door. */
const refuse = (client: string) =>
  keepRefusal(site.journal, {
    refusal: {
      ...{
        flow: 'stage-status',
        client,
        status: 400,
        code: 'contract-violation',
        detail: 'The message breaks its contract',
      },
      errors: [{ path: 'stageId', rule: 'expected string' }],
    },
    names: { ids: ['M-refused'], instance: 'SITE9' },
    body: Buffer.from(planted),
    more: 0,
    periodMs: 60_000,
  })

describe('what needs attention', () => {
  it('is one list: dead letters and refusals at the door, narrowed by flow, code, client, instance and time', async () => {
    const key = await site.settle('listed', 'dead')
    await refuse('derms')
    const all = await site.run('attention', 'list')
    expect(all.out).toMatch(new RegExp(`${key} +dead letter +F7 +derms +target-error`))
    expect(all.out).toMatch(/R\S+ +refused at the door +F7 +derms +contract-violation/)
    expect(all.out).not.toContain(planted)
    const count = async (...filter: string[]) =>
      JSON.parse((await site.run('attention', 'list', ...filter, '--json')).out).length
    expect(await count()).toBe(2)
    expect(await count('--flow', 'F7', '--client', 'derms', '--since', '1h')).toBe(2)
    expect(await count('--code', 'target-error')).toBe(1)
    expect(await count('--instance', 'SITE9')).toBe(1)
    expect(await count('--until', '1h')).toBe(0)
    expect(await count('--client', 'dacs')).toBe(0)
    expect(await count('--connection', 'DACS_MAIN')).toBe(0)
    expect((await site.run('messages', 'find', 'm-refused')).err).toMatch(
      /^No message carries this id\. A request with it was refused at the door: refusals show R\S+\n$/,
    )
    const grouped = await site.run('attention', 'list', '--grouped')
    expect(grouped.out).toMatch(/^count .*\n1 +(?:dead letter|refused at the door) +F7/)
    const first = await site.run('attention', 'list', '--limit', '1')
    expect(first.out).toContain('These are the latest 1; --limit shows more, --grouped counts all.')
  })

  it('is rerun by a filter once somebody at the terminal has seen what it is and said yes', async () => {
    const keys = await Promise.all(Array.from({ length: 12 }, (_, i) => site.settle(`many-${i}`, 'dead')))
    const filter = ['--filter', 'flow=F7,code=target-error,client=derms', '--reason', 'DACS is back']
    const no = await site.runAt('n\n', 'attention', 'rerun', ...filter)
    expect(no).toMatchObject({ code: 0, out: expect.stringMatching(/^count .*\n13 +dead letter +F7/) })
    expect(no.err).toContain('13 will be rerun. Go on? [y/N]')
    expect((await showMessage(site.journal, keys[0] ?? ''))?.generation).toBe(1)

    expect((await site.runAt('', 'attention', 'rerun', ...filter)).code).toBe(0)
    expect((await showMessage(site.journal, keys[0] ?? ''))?.generation).toBe(1)

    site.recover()
    const yes = await site.runAt('y\n', 'attention', 'rerun', ...filter)
    expect(yes).toMatchObject({ code: 0, out: expect.stringContaining('13 of 13 run again.') })
    expect(yes.err).toMatch(/\r1 of 13.*\r13 of 13\n$/s)
    for (const key of keys) await site.reaches(key, 'succeeded')
  })

  it('is nothing that has succeeded meanwhile', async () => {
    const key = await site.settle('well', 'succeeded')
    for (const what of ['rerun', 'discard']) {
      expect(await site.run('attention', what, key, '--reason', 'x')).toMatchObject({
        code: 1,
        err: `${key} needs no attention; nothing was changed.\n`,
      })
    }
    expect(await site.run('attention', 'discard', 'no.such.key', '--reason', 'x')).toMatchObject({ code: 1 })
  })

  it('is discarded by key or by filter, with a reason that goes into the audit', async () => {
    await refuse('other')
    const [{ id }] = JSON.parse((await site.run('refusals', 'list', '--client', 'other', '--json')).out)
    const why = ['--reason', 'told by phone', '--who', 'ann']
    expect(await site.run('attention', 'rerun', id, ...why)).toMatchObject({
      code: 1,
      err: `${id} was refused at the door: its sender has to send it again.\n`,
    })
    const look = await site.run('attention', 'discard', '--filter', 'client=other', '--dry-run')
    expect(look.out).toContain('1 would be discarded; nothing was changed.')
    expect(await site.run('attention', 'discard', id, ...why)).toMatchObject({ code: 0, out: `${id} is discarded.\n` })
    expect(await site.run('attention', 'discard', id, ...why)).toMatchObject({ code: 1 })
    expect(await readAudit(site.journal)).toContainEqual(
      expect.objectContaining({ what: 'discard', who: 'ann', why: 'told by phone', key: id }),
    )
    expect((await site.run('attention', 'discard', '--filter', 'flow=F7', ...why)).out).toBe('1 of 1 discarded.\n')
    expect((await site.run('attention', 'list')).out).toBe('Nothing needs attention.\n')
    expect(JSON.parse((await site.run('refusals', 'list', '--json')).out)).toHaveLength(2)
  })

  it.each([
    [['attention', 'rerun', '--reason', 'x'], 'Say either a key or --filter'],
    [['attention', 'discard', 'k', '--filter', 'flow=F7', '--reason', 'x'], 'Say either a key or --filter'],
    [['attention', 'rerun', '--filter', 'flow=F7'], '--reason is required'],
    [['attention', 'rerun', '--filter', 'state=dead', '--reason', 'x'], '--filter takes flow='],
    [['attention', 'list', '--until', 'soon'], 'until takes'],
    [['refusals', 'show', 'R1', '--body'], '--reason is required'],
  ])('refuses %j', async (args, sentence) => {
    const { code, out, err } = await site.run(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
  })
})

describe('messages and flows', () => {
  it('are narrowed by client, instance and a span of time', async () => {
    const key = await site.settle('narrow', 'succeeded')
    const listed = async (...filter: string[]) => (await site.run('messages', 'list', '--limit', '999', ...filter)).out
    expect(await listed('--client', 'derms', '--instance', 'SITE1', '--since', '1h')).toContain(key)
    for (const filter of [
      ['--client', 'dacs'],
      ['--instance', 'SITE2'],
      ['--until', '1h'],
      ['--connection', 'DACS_MAIN'],
    ]) {
      expect(await listed(...filter)).toBe('No such messages.\n')
    }
    const counts = async (...filter: string[]) =>
      JSON.parse((await site.run('flows', 'status', '--flow', 'F7', ...filter, '--json')).out)[0].counts
    const all = await counts()
    expect(all).toMatchObject({ succeeded: expect.any(Number), discarded: 0 })
    expect(await counts('--since', '1h')).toEqual(all)
    expect(await counts('--client', 'derms')).toEqual(all)
    expect(await counts('--client', 'dacs')).toMatchObject({ succeeded: 0, dead: 0 })
    expect(await counts('--until', '1h')).toMatchObject({ succeeded: 0, dead: 0 })
    expect((await site.run('flows', 'status')).out).toMatch(/ waiting +processing +retrying .* superseded +oldest open/)
  })
})
