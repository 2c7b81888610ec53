import { createHash } from 'node:crypto'
import { expiringNotice } from '@tieline/contracts/notice-words'
import { dayMs, type Journal } from '../journal.ts'
import { dueBlobs, dueFields, enqueueDue, noticeMessage } from '../kernel/due-messages.ts'

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

/** Makes an e-mail due about a certificate that ends soon, once for each number of days, whichever process sees it. @throws JournalError */
export async function tellExpiring(journal: Journal, certificate: ExpiringCertificate): Promise<void> {
  const { identity, startsAt, expiresAt } = certificate
  const nowMs = journal.clock()
  const days = warningOf(expiresAt, nowMs)
  // One that never lasts so long is renewed by a machine, each time late.
  if (days === undefined || expiresAt - startsAt <= days * dayMs) return
  const occasion = createHash('sha256').update(`${identity}#${expiresAt}#${days}`).digest('hex').slice(0, 24)
  const mails = [noticeMessage(journal, expiringNotice(certificate, nowMs), occasion)]
  const once = { name: `certificate:${occasion}`, keepMs: Math.max(expiresAt - nowMs, 0) + rememberedMs }
  const { kind } = await journal.run('notify', { once, ...dueFields(mails) }, dueBlobs(mails))
  if (kind === 'due') await enqueueDue(journal, mails)
}

const rememberedMs = 365 * dayMs
