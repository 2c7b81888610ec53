import { createHash } from 'node:crypto'
import type { Notice } from '@tieline/contracts/notice'
import { enqueueDue, noticeMessage } from './due-messages.ts'
import { dayMs, type Journal, watchMs } from './journal.ts'

export interface ExpiringCertificate {
  /** What it is for, in a few words that name no value: `DACS_MAIN`, `ingress`. */
  readonly name: string
  /** Who shows it to whom. */
  readonly words: string
  /** The connection it concerns, if it is one. */
  readonly connection?: string | undefined
  /** Tells it from the one that takes its place. */
  readonly identity: string
  /** Milliseconds since 1970. */
  readonly startsAt: number
  readonly expiresAt: number
}

/** People are told when so many days are left, once each. */
const daysTold = [1, 7, 30] as const

/** The last of `daysTold` that is reached; undefined while there is time. */
export const warningOf = (expiresAt: number, nowMs: number): (typeof daysTold)[number] | undefined =>
  daysTold.find((days) => expiresAt - nowMs <= days * dayMs)

/** The rest of the sentence about a certificate, such as `ends in 7 days, on 2026-12-08 10:00 UTC`. */
export function wordExpiry(expiresAt: number, nowMs: number): string {
  const at = `${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (expiresAt <= nowMs) return `ended on ${at}`
  const days = Math.floor((expiresAt - nowMs) / dayMs)
  const left = days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`
  return `ends ${left}, on ${at}`
}

/** Makes an e-mail due about a certificate that ends soon, once for each number of days, whichever process sees it. @throws JournalError */
export async function tellExpiring(journal: Journal, certificate: ExpiringCertificate): Promise<void> {
  const { name, words, connection, identity, startsAt, expiresAt } = certificate
  const nowMs = journal.clock()
  const days = warningOf(expiresAt, nowMs)
  // One that never lasts so long is renewed by a machine, each time late.
  if (days === undefined || expiresAt - startsAt <= days * dayMs) return
  const notice: Notice = {
    kind: 'expiring',
    flow: 'notification',
    code: 'certificate-expiring',
    summary: `${name}: the certificate ${wordExpiry(expiresAt, nowMs)} (${words})`,
    occurredAt: new Date(nowMs).toISOString(),
    next: 'Once it has ended, what depends on it fails. Until then mails come at 30, 7 and 1 days.',
    ...(connection !== undefined && { connection }),
  }
  const occasion = createHash('sha256').update(`${identity}#${expiresAt}#${days}`).digest('hex').slice(0, 24)
  const mail = noticeMessage(journal, notice, occasion)
  const once = { name: `certificate:${occasion}`, keepMs: Math.max(expiresAt - nowMs, 0) + rememberedMs }
  const named = { due: [mail.fields], once, now: nowMs, watchMs }
  if ((await journal.run('notify', named, ['', mail.sealed])) === 1) await enqueueDue(journal, [mail])
}

const rememberedMs = 365 * dayMs
