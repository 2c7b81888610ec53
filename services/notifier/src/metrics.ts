import type { Notice } from '@tieline/contracts/notice'
import { Counter, type Registry } from 'prom-client'

/** `joined`: it waits for the digest of its kind; `dropped`: nobody wants it; `refused`: the mail server does not take it. */
export type MailResult = (typeof results)[number]

const kinds = [
  'error',
  'process-complete',
  'no-file',
  'recovered',
  'expiring',
] as const satisfies readonly Notice['kind'][]
const results = ['sent', 'joined', 'dropped', 'refused'] as const

export interface MailMetrics {
  ended(kind: Notice['kind'], result: MailResult): void
}

export function createMailMetrics(register: Registry): MailMetrics {
  const mails = new Counter({
    name: 'tieline_mails_total',
    help: 'E-mails that came to their end, by kind and result: sent, joined (the digest tells it), dropped (switched off, or nobody to tell) or refused by the mail server.',
    labelNames: ['kind', 'result'],
    registers: [register],
  })
  // From 0, so that the first refusal is an increase.
  for (const kind of kinds) for (const result of results) mails.inc({ kind, result }, 0)
  return { ended: (kind, result) => mails.inc({ kind, result }) }
}
