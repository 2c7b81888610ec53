import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tellExpiring } from '@tieline/journal/mail/expiring-certificates'
import { createLogger } from '@tieline/runtime/logger'
import { eventually } from '@tieline/testkit/eventually'
import { watchCertificates } from '@tieline/worker-service/watch-certificates'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { createAuthority } from '../../../packages/targets/test/certificates.ts'
import { json, startFarSide } from '../../../packages/targets/test/far-side.ts'
import { openNotifier } from './harness.ts'

const dayMs = 86_400_000
const silent = createLogger({ service: 'test', level: 'silent' })

it('tells of a certificate of a target at 30, 7 and 1 days, once each, whichever process sees it and after restarts', async () => {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tieline-notifier-tls-'))
  opened.defer(() => rm(folder, { recursive: true }))
  const authority = createAuthority('Private CA')
  await writeFile(join(folder, 'ca.pem'), authority.cert)
  const endsAt = Math.floor(Date.now() / 1_000) * 1_000 + 40 * dayMs
  const far = opened.use(await startFarSide(json(200), authority.issue('far', undefined, endsAt)))
  let nowMs = Date.now()
  const notifier = opened.use(
    await openNotifier({
      clock: () => nowMs,
      certificatesMs: 50,
      connections: `  DERMS_TLS: { kind: derms, baseUrl: "${far.url}", auth: none, tls: { caFile: "${join(folder, 'ca.pem')}" } }`,
    }),
  )
  const register = new Registry()
  const { installation, journal } = notifier
  const another = (registry = new Registry()) =>
    watchCertificates({ installation, journal, register: registry, logger: silent, everyMs: 50 })
  const told = () => notifier.mailbox.mails.map(({ text }) => text)
  const second = opened.use(another(register))
  const gauge = 'tieline_certificate_expiry_timestamp_seconds{kind="target",name="DERMS_TLS"}'
  await eventually(async () => (await register.metrics()).includes(`${gauge} ${endsAt / 1_000}`))
  expect(told()).toEqual([])

  for (const [daysLeft, words] of [
    [29.5, 'ends in 29 days'],
    [6.5, 'ends in 6 days'],
    [0.5, 'ends within a day'],
  ] as const) {
    const before = told().length
    nowMs = endsAt - daysLeft * dayMs
    await eventually(() => told().length > before)
    expect(told().at(-1)).toContain(`DERMS_TLS: the certificate ${words}`)
  }
  // As if retention had removed the messages, and every process had been started again.
  await second[Symbol.asyncDispose]()
  const { redis, base } = journal
  for (const { key } of await notifier.notifications()) await redis.del(`${base}:m:${key}`)
  const third = new Registry()
  opened.use(another(third))
  await eventually(async () => (await third.metrics()).includes(gauge))
  await notifier.settled()
  expect(told()).toHaveLength(3)
  expect(notifier.mailbox.mails[0]?.subject).toMatch(/certificate-expiring: DERMS_TLS: the certificate ends in 29 days/)
})

it('says nothing of the days that a certificate of few days never has', async () => {
  await using notifier = await openNotifier()
  const { journal } = notifier
  const startsAt = Date.now() - dayMs
  const told = (lasts: number) =>
    tellExpiring(journal, {
      name: `${lasts} days`,
      words: 'test',
      identity: 'x',
      startsAt,
      expiresAt: startsAt + lasts * dayMs,
    })
  // So many days of them are left less one.
  for (const lasts of [1.5, 6, 7.5, 29, 31]) await told(lasts)
  await eventually(() => notifier.mailbox.mails.length === 3)
  await notifier.settled()
  expect(notifier.mailbox.mails.map(({ subject }) => /: ([\d.]+) days:/.exec(subject)?.[1]).sort()).toEqual([
    '1.5',
    '31',
    '7.5',
  ])
})
