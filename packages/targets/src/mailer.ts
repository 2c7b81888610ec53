import type { ConnectionOptions } from 'node:tls'
import type { CallResult, CallTarget } from '@tieline/runtime/call-target'
import { backoff, CallError, never } from '@tieline/runtime/error'
import { createTransport } from 'nodemailer'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  /** With angle brackets. The same for every try, so that a repeat can be recognised. */
  readonly messageId: string
}

/**
 * The mail server of the installation. A call resolves when it has taken the mail for every recipient.
 * CallError `mail-refused` (refused, never): a permanent refusal of the mail or of a recipient. `mail-unreachable` (failed,
 * backoff): everything else; a server that is away, or wants us later, has not taken the mail; should it have, a second one does no
 * harm.
 */
export interface Mailer extends CallTarget<'send', Mail, CallResult>, AsyncDisposable {
  /**
   * Connects and logs in.
   * @throws CallError `mail-unreachable`
   */
  verify(): Promise<void>
}

export interface MailerOptions {
  /** Limit of each step: name lookup, connection, greeting, every answer. */
  readonly timeoutMs?: number
  /** Trust of a private authority; the certificate is verified in any case. */
  readonly tls?: ConnectionOptions
}

const connection = 'mail'

/**
 * Sends mails over SMTP, one connection per mail: mails are rare, and an idle connection would only grow stale.
 * @param mail `url` is `smtp://` (port 587, TLS when the server offers it) or `smtps://` (port 465, TLS from the start)
 */
export function createMailer(
  mail: { readonly url: string },
  { timeoutMs = 30_000, tls = {} }: MailerOptions = {},
): Mailer {
  const url = new URL(mail.url)
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port !== '' && { port: Number(url.port) }),
    secure: url.protocol === 'smtps:',
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    tls: { ...tls, rejectUnauthorized: true },
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  return {
    name: connection,
    async call(_operation, { from, to, subject, text, html, messageId }, mayCall) {
      await mayCall?.()
      const startedAt = performance.now()
      const durationMs = () => Math.round(performance.now() - startedAt)
      const oneLine = subject.replaceAll(/[\r\n]+/g, ' ')
      const info = await transport
        .sendMail({ from, to: [...to], subject: oneLine, text, html, messageId })
        .catch((error: unknown) => {
          throw sendError(error, durationMs())
        })
      // The server took the mail for some recipients only. A repeat reaches those again, under the same Message-ID.
      if (info.rejected.length > 0) throw recipientsError(info.rejectedErrors ?? [], durationMs())
      return { durationMs: durationMs() }
    },
    async verify() {
      await transport.verify().catch((error: unknown) => {
        throw unreachable(error, 0)
      })
    },
    async [Symbol.asyncDispose]() {
      transport.close()
    },
  }
}

/** Only what concerns this mail is a refusal: a refused login or greeting is the server's or our configuration's state. */
function sendError(error: unknown, durationMs: number): CallError {
  const { code, rejectedErrors } = detailsOf(error)
  if (rejectedErrors !== undefined) return recipientsError(rejectedErrors, durationMs)
  const concernsMail = code === 'EENVELOPE' || code === 'EMESSAGE'
  return concernsMail && isPermanent(error) ? refused(error, durationMs) : unreachable(error, durationMs)
}

/** One recipient that may be accepted later is reason enough to try again. */
function recipientsError(errors: readonly unknown[], durationMs: number): CallError {
  const later = errors.find((error) => !isPermanent(error))
  return later === undefined ? refused(errors[0], durationMs) : unreachable(later, durationMs)
}

/** Without an SMTP reply the library itself found the mail impossible, for example without recipients. */
const isPermanent = (error: unknown): boolean => detailsOf(error).permanent !== false

const refused = (error: unknown, durationMs: number) =>
  new CallError({
    code: 'mail-refused',
    retry: never,
    outcome: 'refused',
    connection,
    message: `The mail server refused the mail (${reasonOf(error)})`,
    durationMs,
  })

const unreachable = (error: unknown, durationMs: number) =>
  new CallError({
    code: 'mail-unreachable',
    retry: backoff,
    outcome: 'failed',
    connection,
    message: `The mail server could not take the mail (${reasonOf(error)})`,
    durationMs,
  })

/** SMTP status or error code only: the server's words may name recipients. */
function reasonOf(error: unknown): string {
  const { responseCode, originalCode, code } = detailsOf(error)
  return String(responseCode ?? originalCode ?? code ?? 'no reason given')
}

interface MailErrorDetails {
  readonly code?: unknown
  readonly originalCode?: unknown
  readonly responseCode?: unknown
  readonly permanent?: unknown
  readonly rejectedErrors?: readonly unknown[]
}

const detailsOf = (error: unknown): MailErrorDetails =>
  error instanceof Error ? (error as Error & MailErrorDetails) : {}
