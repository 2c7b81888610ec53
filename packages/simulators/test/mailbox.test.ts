import { expect, test } from 'vitest'
import { startMailbox } from '../src/mailbox.ts'
import { createMailboxControl } from '../src/mailbox-control.ts'
import { serve } from '../src/start.ts'
import { call } from './call.ts'
import { converse, mailCommands } from './smtp.ts'

const envelope = mailCommands({ subject: '=?utf-8?q?F7_failed_=E2=80=93_test?=' })

test('keeps mails with envelope and content', async () => {
  await using mailbox = await startMailbox()
  expect(await converse(mailbox.port, envelope)).toEqual([220, 250, 250, 250, 354, 250])
  expect(mailbox.mails).toMatchObject([
    {
      envelope: { from: 'tieline@utility.example', to: ['ops@utility.example'] },
      from: 'tieline@utility.example',
      to: ['ops@utility.example', 'night@utility.example'],
      subject: 'F7 failed – test',
      text: 'Hello\n',
      html: '<p>Hello</p>\n',
      messageId: '<notice-1@tieline>',
      headers: { 'message-id': '<notice-1@tieline>' },
    },
  ])
})

test('refuses the next mails with the given codes, in order, and keeps none of them', async () => {
  await using mailbox = await startMailbox()
  mailbox.failNext({ code: 451, times: 2 })
  mailbox.failNext({ code: 550 })
  const ends: (number | undefined)[] = []
  for (let turn = 0; turn < 4; turn += 1) ends.push((await converse(mailbox.port, envelope)).at(-1))
  expect(ends).toEqual([451, 451, 550, 250])
  expect(mailbox.mails).toHaveLength(1)
})

test('goes on when a sender went away in the middle of a mail', async () => {
  await using mailbox = await startMailbox()
  expect((await converse(mailbox.port, envelope.slice(0, 3))).at(-1)).toBe(354)
  await converse(mailbox.port, envelope)
  expect(mailbox.mails).toHaveLength(1)
})

test('takes mails only from those who log in when set up so', async () => {
  await using mailbox = await startMailbox({ auth: { username: 'tieline', password: 'secret' } })
  const login = (password: string) => `AUTH PLAIN ${Buffer.from(`\0tieline\0${password}`).toString('base64')}`
  expect((await converse(mailbox.port, envelope)).at(-1)).toBe(530)
  expect((await converse(mailbox.port, [login('wrong'), ...envelope])).at(-1)).toBe(535)
  expect((await converse(mailbox.port, [login('secret'), ...envelope])).at(-1)).toBe(250)
  expect(mailbox.url).toBe(`smtp://tieline:secret@127.0.0.1:${mailbox.port}`)
})

test('is driven over HTTP', async () => {
  await using mailbox = await startMailbox()
  await using control = await serve({ app: createMailboxControl(mailbox) }, {})
  await call(`${control.url}/control/fail-next`, 'POST', { code: 421 })
  expect((await converse(mailbox.port, envelope)).at(-1)).toBe(421)
  await converse(mailbox.port, envelope)
  expect((await call(`${control.url}/control/mails`, 'GET')).body).toMatchObject([{ messageId: '<notice-1@tieline>' }])
  expect((await call(`${control.url}/control/fail-next`, 'POST', { code: 200 })).status).toBe(400)
  await call(`${control.url}/control/reset`, 'POST', {})
  expect(mailbox.mails).toEqual([])
})
