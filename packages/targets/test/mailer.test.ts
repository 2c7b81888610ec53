import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { expect, it } from 'vitest'
import { createMailer } from '../src/mailer.ts'
import { createAuthority } from './certificates.ts'
import { closedPort, startRawServer } from './far-side.ts'

const authority = createAuthority('Mail CA')
const { cert, key } = authority.issue('mail')

const mail = {
  from: 'Tieline <tieline@utility.example>',
  to: ['admin@utility.example', 'ops@utility.example'],
  subject: 'test: enrollment-sync failed',
  text: 'It failed.',
  html: '<p>It failed.</p>',
  messageId: '<notice-1@tieline>',
}

async function startMailServer(options: SMTPServerOptions = {}) {
  const taken: { raw: string; recipients: string[]; secure: boolean; user: unknown }[] = []
  const server = new SMTPServer({
    cert,
    key,
    authOptional: true,
    logger: false,
    onAuth: ({ username, password }, _session, done) =>
      password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong password')),
    async onData(stream, session, done) {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      const recipients = session.envelope.rcptTo.map(({ address }) => address)
      taken.push({ raw: Buffer.concat(chunks).toString(), recipients, secure: session.secure, user: session.user })
      done()
    },
    ...options,
  })
  server.on('error', () => undefined)
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    port,
    taken,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}

const refuseWith = (responseCode: number) => Object.assign(new Error('no such user Reyes'), { responseCode })
const tls = { ca: authority.cert }

it('hands a mail over to every recipient, encrypted when the server offers it', async () => {
  await using server = await startMailServer()
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` }, { tls })
  await mailer.call('send', mail)
  const [taken] = server.taken
  expect(taken).toMatchObject({ recipients: mail.to, secure: true })
  expect(taken?.raw).toContain('Subject: test: enrollment-sync failed')
  expect(taken?.raw).toContain('Message-ID: <notice-1@tieline>')
  expect(taken?.raw).toContain('<p>It failed.</p>')
})

it('sends in clear text to a server that offers nothing else', async () => {
  await using server = await startMailServer({ disabledCommands: ['STARTTLS'] })
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` })
  await mailer.call('send', mail)
  expect(server.taken).toMatchObject([{ secure: false }])
})

it('uses TLS from the start with smtps, and the credentials of the address', async () => {
  await using server = await startMailServer({ secure: true })
  await using mailer = createMailer({ url: `smtps://tie%40line:p%40ss@127.0.0.1:${server.port}` }, { tls })
  await mailer.verify()
  await mailer.call('send', mail)
  expect(server.taken).toMatchObject([{ secure: true, user: 'tie@line' }])
})

it('sends nothing to a server whose certificate is not trusted', async () => {
  await using server = await startMailServer()
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` })
  await expect(mailer.call('send', mail)).rejects.toMatchObject({
    code: 'mail-unreachable',
    retry: { kind: 'backoff' },
  })
  expect(server.taken).toHaveLength(0)
})

it('lets no line break of a subject or name become a header or a recipient', async () => {
  await using server = await startMailServer()
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` }, { tls })
  await mailer.call('send', {
    ...mail,
    subject: 'x\r\nBcc: victim@utility.example\r\n\r\nbody',
    from: 'Tieline\r\nX-Injected: yes <tieline@utility.example>',
    messageId: '<a@b>\r\nX-Injected: yes',
  })
  const [taken] = server.taken
  const headers = taken?.raw.split('\r\n\r\n')[0] ?? ''
  expect(taken?.recipients).toEqual(mail.to)
  expect(headers).not.toMatch(/^(Bcc|X-Injected):/im)
})

it.each([
  ['sender', 450, 'mail-unreachable', 'backoff'],
  ['sender', 550, 'mail-refused', 'never'],
  ['recipient', 450, 'mail-unreachable', 'backoff'],
  ['recipient', 550, 'mail-refused', 'never'],
  ['content', 452, 'mail-unreachable', 'backoff'],
  ['content', 554, 'mail-refused', 'never'],
] as const)('tells apart what may be tried again: %s answered with %i is %s', async (step, status, code, kind) => {
  await using server = await startMailServer({
    ...(step === 'sender' && { onMailFrom: (_address, _session, done) => done(refuseWith(status)) }),
    ...(step === 'recipient' && { onRcptTo: (_address, _session, done) => done(refuseWith(status)) }),
    ...(step === 'content' && {
      onData: (stream, _session, done) => {
        stream.resume()
        stream.on('end', () => done(refuseWith(status)))
      },
    }),
  })
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` }, { tls })
  const error: unknown = await mailer.call('send', mail).catch((thrown) => thrown)
  expect(error).toMatchObject({ code, retry: { kind } })
  expect(String(error)).toContain(String(status))
  expect(String(error)).not.toMatch(/Reyes|utility\.example/)
})

it.each([
  [550, 'mail-refused'],
  [450, 'mail-unreachable'],
])('does not call a mail sent that one recipient was refused (%i)', async (status, code) => {
  await using server = await startMailServer({
    onRcptTo: ({ address }, _session, done) => (address.startsWith('ops') ? done(refuseWith(status)) : done()),
  })
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` }, { tls })
  await expect(mailer.call('send', mail)).rejects.toMatchObject({ code })
  expect(server.taken).toMatchObject([{ recipients: ['admin@utility.example'] }])
})

it('refuses for good what has no recipient', async () => {
  await using server = await startMailServer()
  await using mailer = createMailer({ url: `smtp://127.0.0.1:${server.port}` }, { tls })
  await expect(mailer.call('send', { ...mail, to: [] })).rejects.toMatchObject({
    code: 'mail-refused',
    retry: { kind: 'never' },
  })
})

it('goes on trying when the login is refused, because the mail is not at fault', async () => {
  await using server = await startMailServer()
  await using mailer = createMailer({ url: `smtp://tieline:wrong@127.0.0.1:${server.port}` }, { tls })
  for (const attempt of [() => mailer.call('send', mail), () => mailer.verify()]) {
    await expect(attempt()).rejects.toMatchObject({
      code: 'mail-unreachable',
      message: expect.not.stringContaining('wrong'),
    })
  }
})

it('goes on trying when the server is away, silent or turns us down at the door', async () => {
  await using silent = await startRawServer(() => undefined)
  await using closing = await startRawServer((socket) => socket.destroy())
  await using unwilling = await startRawServer((socket) => socket.end('554 no service\r\n'))
  for (const port of [await closedPort(), silent.port, closing.port, unwilling.port]) {
    await using mailer = createMailer({ url: `smtp://127.0.0.1:${port}` }, { timeoutMs: 100 })
    await expect(mailer.call('send', mail)).rejects.toMatchObject({
      code: 'mail-unreachable',
      retry: { kind: 'backoff' },
    })
  }
  await using nowhere = createMailer({ url: 'smtp://mail.invalid' }, { timeoutMs: 1_000 })
  await expect(nowhere.verify()).rejects.toMatchObject({ code: 'mail-unreachable' })
})
