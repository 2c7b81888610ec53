import { CallError, never } from '@tieline/runtime/error'
import { eventually } from '@tieline/testkit/eventually'
import { errorNotice } from '@tieline/worker-service/endings'
import { expect, test } from 'vitest'
import { composeMail } from '../src/mail.ts'
import { openNotifier } from './harness.ts'
import { sampleNotice } from './notice.ts'

test('a message that dies becomes one e-mail to everybody in To', async () => {
  await using notifier = await openNotifier()
  const refusal = new CallError({
    code: 'target-refused',
    retry: never,
    outcome: 'refused',
    connection: 'DACS_MAIN',
    message: 'DACS_MAIN: createProgramEvent answered 400',
    status: 400,
    durationMs: 1,
    farText: 'No such program for Reyes',
  })
  const post = await notifier.work({
    flow: 'stage-status',
    process: () => Promise.reject(refusal),
    giveUp: (attempt, error) => ({
      state: 'dead',
      outcome: 'FAILURE',
      code: error.code,
      notices: [errorNotice({ attempt, error, next: 'DERMS sends it again.', nowMs: Date.now() })],
    }),
  })
  await post('M-1', { customer: 'Reyes' })
  const [mail] = await eventually(() => notifier.mailbox.mails.length > 0 && notifier.mailbox.mails)
  expect(mail).toMatchObject({
    from: 'tieline@utility.example',
    to: ['admin@utility.example', 'ops@utility.example', 'night@utility.example'],
    envelope: { to: ['admin@utility.example', 'ops@utility.example', 'night@utility.example'] },
    subject: `[Tieline ${notifier.installation.installation.name}/test] F7 Program event (stage) status: target-refused M-1`,
  })
  expect(mail?.text).toContain('createProgramEvent answered 400')
  expect(mail?.html).toContain('createProgramEvent answered 400')
  expect(JSON.stringify(mail)).not.toContain('Reyes')
  const [notification] = await eventually(async () => {
    const all = await notifier.notifications()
    return all.every(({ state }) => state === 'succeeded') && all
  })
  expect(notification).toMatchObject({ instance: 'stage-status', attempts: 1 })
  expect(notifier.mailbox.mails).toHaveLength(1)
})

test.each([
  ['the error flag is off', { configProps: 'notification.email.error.flag,false' }, 'switched-off'],
  ['Email_ID names no recipient', { emailId: 'From,tieline@utility.example' }, 'no-recipients'],
  ['Email_ID names no sender', { emailId: 'To,admin@utility.example' }, 'no-sender'],
  ['no mail server is configured', { withMail: false }, 'no-mail-server'],
])('nothing is sent when %s, and the message says so', async (_what, options, why) => {
  await using notifier = await openNotifier(options)
  const key = await notifier.notify(sampleNotice())
  const message = await eventually(async () => {
    const shown = await notifier.show(key)
    return shown?.state === 'succeeded' && shown
  })
  expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'not-mailed', why }))
  expect(message.effects).toEqual([])
  expect(notifier.mailbox.mails).toEqual([])
  const told = notifier.lines.filter(({ level, key: of }) => level === 'warn' && of === key)
  expect(told).toMatchObject([{ why }])
})

test('a service without a mail server says so once, at its start', async () => {
  await using notifier = await openNotifier({ withMail: false })
  await using withMail = await openNotifier()
  const said = ({ lines }: typeof notifier) => lines.filter(({ msg }) => /mail is not configured/.test(String(msg)))
  expect(said(notifier)).toMatchObject([{ level: 'warn' }])
  expect(said(withMail)).toEqual([])
})

test.each(['process-complete', 'no-file'] as const)('a %s mail goes to the business users', async (kind) => {
  await using notifier = await openNotifier({
    emailId: 'From,tieline@utility.example\nTo,admin@utility.example\nto.process.notification,business@utility.example',
  })
  await notifier.notify(sampleNotice({ kind }))
  const [mail] = await eventually(() => notifier.mailbox.mails.length > 0 && notifier.mailbox.mails)
  expect(mail?.to).toEqual(['business@utility.example'])
})

test('a mail server that wants us later is asked again, and the mail arrives under its own Message-ID', async () => {
  await using notifier = await openNotifier()
  const { mailbox } = notifier
  mailbox.failNext({ code: 451 })
  const key = await notifier.notify(sampleNotice())
  const retrying = await eventually(async () => {
    const shown = await notifier.show(key)
    return shown?.state === 'retrying' && shown
  })
  expect(retrying).toMatchObject({ code: 'mail-unreachable', effects: [{ id: 'mail', state: 'failed', tries: 1 }] })
  expect(retrying.nextAt).toBeGreaterThan(retrying.stateAt + 7_000)

  await notifier.promote(key)
  const [mail] = await eventually(() => mailbox.mails.length > 0 && mailbox.mails)
  await eventually(async () => (await notifier.show(key))?.state === 'succeeded')
  expect(mailbox.mails).toHaveLength(1)
  expect(mail?.messageId).toBe(composeMail(sampleNotice(), key, notifier.installation).messageId)
})

test('a mail server that is away is waited for', async () => {
  await using notifier = await openNotifier()
  await notifier.mailbox[Symbol.asyncDispose]()
  const key = await notifier.notify(sampleNotice())
  const message = await eventually(async () => {
    const shown = await notifier.show(key)
    return shown?.state === 'retrying' && shown
  })
  expect(message).toMatchObject({ code: 'mail-unreachable', effects: [{ state: 'failed' }] })
})

test('a mail that is refused for good is a dead letter, and no mail is written about it', async () => {
  await using notifier = await openNotifier()
  notifier.mailbox.failNext({ code: 550 })
  const key = await notifier.notify(sampleNotice())
  const message = await eventually(async () => {
    const shown = await notifier.show(key)
    return shown?.state === 'dead' && shown
  })
  expect(message).toMatchObject({ code: 'mail-refused', attempts: 1, effects: [{ id: 'mail', state: 'refused' }] })
  expect(await notifier.notifications()).toHaveLength(1)
  expect(notifier.mailbox.mails).toEqual([])
})

test('a notice that breaks its contract is a dead letter', async () => {
  await using notifier = await openNotifier()
  const key = await notifier.notify({ ...sampleNotice(), occurredAt: 'yesterday' })
  const message = await eventually(async () => {
    const shown = await notifier.show(key)
    return shown?.state === 'dead' && shown
  })
  expect(message).toMatchObject({ code: 'contract-violation', effects: [] })
  expect(await notifier.notifications()).toHaveLength(1)
})

test('no address of a recipient is logged or stands in the journal', async () => {
  await using notifier = await openNotifier()
  notifier.mailbox.failNext({ code: 550 })
  const keys = [await notifier.notify(sampleNotice()), await notifier.notify(sampleNotice())]
  const messages = await eventually(async () => {
    const shown = await Promise.all(keys.map((key) => notifier.show(key)))
    return shown.every((message) => message?.state === 'dead' || message?.state === 'succeeded') && shown
  })
  expect(JSON.stringify([messages, notifier.lines])).not.toContain('utility.example')
})
