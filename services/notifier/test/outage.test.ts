import { startMailbox } from '@tieline/simulators/mailbox'
import { eventually } from '@tieline/testkit/eventually'
import { expect, test } from 'vitest'
import { openNotifier } from './harness.ts'
import { sampleNotice } from './notice.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** A notifier whose mail server is away until `mend`; time goes on from try to try. */
async function openOutage() {
  let now = Date.now()
  const notifier = await openNotifier({ clock: () => now })
  await notifier.mailbox[Symbol.asyncDispose]()
  const open = async () => {
    const all = await notifier.notifications()
    return all.filter(({ state }) => !['succeeded', 'dead'].includes(state))
  }
  return {
    ...notifier,
    mend: () => startMailbox({ port: notifier.mailbox.port }),
    /** Lets time pass, and all that is tried in it. */
    async pass(ms: number) {
      const until = now + ms
      for (;;) {
        const waiting = await eventually(async () => {
          const messages = await open()
          return messages.every(({ state, nextAt = 0 }) => state === 'retrying' && nextAt > now) && messages
        })
        const next = Math.min(...waiting.map(({ nextAt = 0 }) => nextAt))
        if (next > until) break
        now = next
        await notifier.promote(...waiting.filter(({ nextAt }) => nextAt === next).map(({ key }) => key))
      }
      now = until
    },
    [Symbol.asyncDispose]: () => notifier[Symbol.asyncDispose](),
  }
}

test('a mail server that is away for an hour loses no mail, and other flows do not wait for it', async () => {
  await using notifier = await openOutage()
  const post = await notifier.work({
    flow: 'stage-status',
    process: async () => ({ state: 'succeeded', outcome: 'SUCCESS' }),
    giveUp: () => ({ state: 'dead', outcome: 'FAILURE' }),
  })
  const keys: string[] = []
  for (const code of ['target-error', 'target-timeout']) keys.push(await notifier.notify(sampleNotice({ code })))
  keys.push(await notifier.notify(sampleNotice({ kind: 'recovered' })), await notifier.notify(sampleNotice()))
  await notifier.pass(30 * minuteMs)
  await post('meanwhile')
  await eventually(async () => (await notifier.show('stage-status.SITE1.meanwhile'))?.state === 'succeeded')
  await notifier.pass(30 * minuteMs)

  await using mailbox = await notifier.mend()
  await notifier.pass(30 * minuteMs)
  for (const key of keys) expect(await notifier.show(key), key).toMatchObject({ state: 'succeeded', generation: 1 })
  const subjects = mailbox.mails.map(({ subject }) => subject.split(/[\]:] /).at(-1))
  expect(subjects.sort()).toEqual([
    'DACS_MAIN',
    'target-error 1 more',
    'target-error STG-1315-1',
    'target-timeout STG-1315-1',
  ])
})

test('a mail server that is away for a day makes dead letters of the mails of that day, which can be resubmitted', async () => {
  await using notifier = await openOutage()
  const key = await notifier.notify(sampleNotice())
  await notifier.pass(23 * hourMs)
  expect(await notifier.show(key)).toMatchObject({ state: 'retrying' })
  await notifier.pass(hourMs)
  expect(await notifier.show(key)).toMatchObject({ state: 'dead', code: 'mail-unreachable' })
  expect(await notifier.notifications()).toHaveLength(1)

  await using mailbox = await notifier.mend()
  await notifier.resubmit(key)
  await eventually(() => mailbox.mails.length === 1)
})

test('a mail that can never be sent does not hold up the next one', async () => {
  await using notifier = await openNotifier()
  notifier.mailbox.failNext({ code: 550 })
  const poisoned = [
    await notifier.notify(sampleNotice({ code: 'target-refused' })),
    ...(await Promise.all([{}, 'no notice', null, { ...sampleNotice(), kind: 'of-tomorrow' }].map(notifier.notify))),
  ]
  await notifier.settled()
  await notifier.notify(sampleNotice())
  await eventually(() => notifier.mailbox.mails.length === 1)
  for (const key of poisoned) expect(await notifier.show(key), key).toMatchObject({ state: 'dead' })
})

test('no part of a notice becomes a header of the mail', async () => {
  await using notifier = await openNotifier({
    emailId: 'From,tieline@utility.example\nTo,to@utility.example\nto.process.notification,to@utility.example',
  })
  const evil = 'x\r\nBcc: victim@utility.example\r\n\r\n<b>y</b>'
  const named = [{ messageKey: evil, file: evil, summary: evil, occurredAt: sampleNotice().occurredAt }]
  const digest = { count: 7, since: sampleNotice().occurredAt, first: sampleNotice().occurredAt, named }
  const files = { sent: [evil], failed: [evil], left: [evil], totals: { sent: 1, failed: 1, left: 1 } }
  const everywhere = {
    messageKey: evil,
    flow: evil,
    code: evil,
    summary: evil,
    connection: evil,
    next: evil,
    file: evil,
  }
  await notifier.notify(sampleNotice({ ...everywhere, event: evil, files }))
  await notifier.notify(sampleNotice({ ...everywhere, digest }))
  await notifier.notify(sampleNotice({ ...everywhere, kind: 'process-complete', event: evil, digest }))
  await notifier.notify(sampleNotice({ ...everywhere, kind: 'recovered' }))
  const mails = await eventually(() => notifier.mailbox.mails.length === 4 && notifier.mailbox.mails)
  for (const { headers, envelope, html, text } of mails) {
    expect(Object.keys(headers).sort()).toEqual([
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ])
    expect(envelope.to).toEqual(['to@utility.example'])
    expect(html).not.toContain('<b>')
    expect(text).not.toMatch(/^Bcc/m)
  }
})
