import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import PostalMime, { type Address, type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface MailboxOptions {
  /** Default: any free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Demand these; without, nobody logs in. */
  readonly auth?: { readonly username: string; readonly password: string } | undefined
}

/** A mail as it was taken. */
export interface Mail {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  /** With its angle brackets; empty when the sender gave none. */
  readonly messageId: string
  /** By lower-case name; of a repeated header the last. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Mailbox extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly mails: readonly Mail[]
  /** Refuse the next mails after their text: 4xx try later, 5xx never. */
  failNext(fault: { code: number; times?: number | undefined }): void
  /** No mails, no instructions. */
  reset(): void
}

/** A mail server that keeps what it is given. Clear text only. @throws Error when the port is taken */
export async function startMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const { auth, port = 0, host = '127.0.0.1' } = options
  const mails: Mail[] = []
  const codes: number[] = []

  const onData: SMTPServerOptions['onData'] = async (stream, session, done) => {
    const raw = await buffer(stream).catch(() => undefined)
    // The sender went away in the middle of the mail, so nobody waits for an answer.
    if (raw === undefined) return
    const responseCode = codes.shift()
    if (responseCode !== undefined) return done(Object.assign(new Error('Simulated refusal'), { responseCode }))
    const { mailFrom, rcptTo } = session.envelope
    const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
    mails.push(toMail(await PostalMime.parse(raw), envelope))
    return done(null)
  }

  const server = new SMTPServer({
    disabledCommands: auth ? ['STARTTLS'] : ['STARTTLS', 'AUTH'],
    allowInsecureAuth: true,
    authOptional: auth === undefined,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) =>
      username === auth?.username && password === auth?.password
        ? done(null, { user: username })
        : done(new Error('Unknown user or password')),
    onData,
  })
  // Connections that a client breaks off are its affair.
  server.on('error', () => undefined)

  server.listen(port, host)
  await once(server.server, 'listening')
  const bound = (server.server.address() as AddressInfo).port
  return {
    url: `smtp://${auth ? `${encodeURIComponent(auth.username)}:${encodeURIComponent(auth.password)}@` : ''}${host}:${bound}`,
    port: bound,
    mails,
    failNext: ({ code, times = 1 }) => void codes.push(...Array<number>(times).fill(code)),
    reset() {
      mails.length = 0
      codes.length = 0
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function toMail(email: Email, envelope: Mail['envelope']): Mail {
  return {
    at: Date.now(),
    envelope,
    from: email.from?.address ?? '',
    to: (email.to ?? []).flatMap(addressesOf),
    subject: email.subject ?? '',
    text: email.text ?? '',
    html: email.html ?? '',
    messageId: email.messageId ?? '',
    headers: Object.fromEntries(email.headers.map(({ key, value }) => [key, value])),
  }
}

const addressesOf = (address: Address): string[] =>
  address.group === undefined ? [address.address] : address.group.map((member) => member.address)
