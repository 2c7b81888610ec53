import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { expect, it } from 'vitest'
import { trimExpired } from '../src/kernel/sweeper.ts'
import { showMessage } from '../src/operations.ts'
import {
  type KeptRefusal,
  keepRefusal,
  type RefusalFilter,
  type RefusalToKeep,
  readRefusedBody,
  refusalsNewestFirst,
} from '../src/refusals/refusals.ts'
import { openMails } from './mail-harness.ts'

const dayMs = 24 * 3_600_000
const minuteMs = 60_000

const refusal = (more: Partial<RefusalToKeep['refusal']> = {}, body = '{'): RefusalToKeep => ({
  refusal: {
    flow: 'stage-status',
    client: 'derms',
    status: 400,
    code: 'malformed-body',
    detail: 'The body is not JSON',
    errors: [],
    ...more,
  },
  names: { ids: ['M-1'], instance: 'SITE1' },
  body: Buffer.from(body),
  more: 0,
  periodMs: 15 * minuteMs,
})

type Mails = Awaited<ReturnType<typeof openMails>>

/** Until every e-mail that is due has been worked on. */
const idle = ({ journal }: Mails) => eventually(async () => (await journal.redis.zcard(`${journal.base}:open`)) === 0)

async function kept({ journal }: Mails, filter: RefusalFilter = {}): Promise<KeptRefusal[]> {
  return (await Array.fromAsync(refusalsNewestFirst(journal, filter))).flat()
}

it('of one flow at most 1,000 are kept, the latest, each under an id of its own', async () => {
  await using mails = await openMails()
  const each = Array.from({ length: 1_005 }, (_, i) => refusal({ detail: `refusal ${i}` }))
  await Promise.all(each.map((one) => keepRefusal(mails.journal, one)))
  await keepRefusal(mails.journal, refusal({ flow: 'event-outcome' }))
  const found = await kept(mails, { flow: 'stage-status' })
  expect(found).toHaveLength(1_000)
  expect(new Set(found.map(({ id }) => id)).size).toBe(1_000)
  expect(await kept(mails)).toHaveLength(1_001)
  const keys = await keysMatching(mails.journal.redis, `${mails.journal.base}:d[rb]:*`)
  expect(keys).toHaveLength(2 * 1_001)
})

it('bodies of one flow are kept up to 4 MiB: the oldest go, what is known of them stays', async () => {
  await using mails = await openMails()
  const { journal } = mails
  for (let i = 0; i < 80; i++) {
    await keepRefusal(journal, refusal({}, `${i}:`.padEnd(64 * 1024, 'x')))
    await mails.pass(1)
  }
  const found = await kept(mails)
  expect(found).toHaveLength(80)
  const bodies = await Promise.all(found.map(({ id }) => readRefusedBody(journal, id)))
  const there = bodies.filter((body) => body !== undefined)
  expect(there.length).toBeGreaterThan(60)
  expect(there.reduce((sum, body) => sum + body.length, 0)).toBeLessThanOrEqual(4 * 2 ** 20)
  expect(bodies[0]?.toString().slice(0, 3)).toBe('79:')
  expect(bodies.at(-1)).toBeUndefined()
})

it('bytes that are no text come back as they came', async () => {
  await using mails = await openMails()
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  await keepRefusal(mails.journal, { ...refusal(), body })
  const [one] = await kept(mails)
  expect(await readRefusedBody(mails.journal, one?.id ?? '')).toEqual(body)
})

it('after 7 days nothing of a refusal is left', async () => {
  await using mails = await openMails()
  const { journal } = mails
  await keepRefusal(journal, refusal())
  await mails.pass(7 * dayMs - 1)
  await trimExpired(journal)
  expect(await kept(mails)).toHaveLength(1)
  await mails.pass(2)
  await trimExpired(journal)
  expect(await kept(mails)).toEqual([])
  expect(await keysMatching(journal.redis, `${journal.base}:d[rb]:*`)).toEqual([])
  expect(await journal.redis.hget(`${journal.base}:d:bytes`, 'stage-status')).toBe('0')
})

it('the first of a kind is an e-mail, the others are counted for the digest and cost no message each', async () => {
  await using mails = await openMails()
  const { journal } = mails
  const ofKind = { errors: [{ path: 'stageId', rule: 'expected string' }], code: 'contract-violation' } as const
  for (let i = 0; i < 150; i++) await keepRefusal(journal, refusal(ofKind))
  await keepRefusal(journal, { ...refusal(ofKind), more: 50 })
  await keepRefusal(journal, refusal({ ...ofKind, client: 'other' }))
  await idle(mails)
  expect(mails.mails.map(({ client, code, refusal }) => [client, code, typeof refusal])).toEqual([
    ['derms', 'contract-violation', 'string'],
    ['other', 'contract-violation', 'string'],
  ])
  expect(mails.mails[0]?.summary).toContain('stageId: expected string')
  expect(await journal.redis.zcard(`${journal.base}:s:notification:succeeded`)).toBe(2)

  await mails.pass(15 * minuteMs + 1)
  await mails.sweep()
  await idle(mails)
  const [digest, ...rest] = mails.mails.slice(2)
  expect(rest).toEqual([])
  // The first had an e-mail of its own: 149 others, one with 50 that were only counted.
  expect(digest).toMatchObject({ client: 'derms', code: 'contract-violation', digest: { count: 200 } })
  expect(digest?.digest?.named).toHaveLength(100)
  expect(digest?.summary).toContain('200 more requests of derms refused at the door')
})

it('the e-mail says nothing of what the request said', async () => {
  await using mails = await openMails()
  await keepRefusal(mails.journal, {
    ...refusal({}, '{"name": "Okafor"'),
    names: { ids: ['Okafor-1'], instance: 'Okafor-2' },
  })
  await idle(mails)
  const [key = ''] = await mails.journal.redis.zrange(`${mails.journal.base}:s:notification:succeeded`, '0', '-1')
  expect(JSON.stringify([mails.mails, await showMessage(mails.journal, key)])).not.toContain('Okafor')
})
