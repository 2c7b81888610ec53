import { type Notice, notice } from '@tieline/contracts/notice'
import { describeIssues } from '@tieline/contracts/problem'
import { joinWindow } from '@tieline/journal/mail/windows'
import type { Attempt, Processor, Settlement } from '@tieline/journal/types'
import type { ConfigProps } from '@tieline/lookups/config-props'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError, never, TielineError } from '@tieline/runtime/error'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import type { Mailer } from '@tieline/targets/mailer'
import { composeMail } from '../mail.ts'
import { windowOf } from '../mail-window.ts'
import type { MailMetrics } from '../metrics.ts'

interface Deps {
  /** Undefined: the installation has no mail server. */
  readonly mailer: { readonly server: Pick<Mailer, 'name' | 'call'>; readonly digestMinutes: number } | undefined
  readonly installation: Pick<Installation, 'installation' | 'console' | 'mail'>
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: MailMetrics
}

/** F10: a notice becomes one e-mail, unless the lookups as they are now say that nobody wants it. */
export function createNotificationProcessor({
  mailer,
  installation,
  logger,
  metrics,
}: Deps): Processor<LookupSnapshot> {
  const dropped = async (attempt: Attempt, { kind }: Notice, why: string): Promise<Settlement> => {
    logger.warn({ key: attempt.key, why }, `No e-mail for a notification: ${why}`)
    await attempt.note({ what: 'not-mailed', why })
    metrics.ended(kind, 'dropped')
    return succeeded
  }

  return {
    flow: 'notification',

    async process(attempt, tables) {
      const due = readNotice(attempt.payload)
      const { flag, list } = audiences[due.kind]
      const { from, [list]: to } = tables.mail
      if (mailer === undefined) return dropped(attempt, due, 'no-mail-server')
      if (!tables.configProps[flag]) return dropped(attempt, due, 'switched-off')
      if (from === undefined) return dropped(attempt, due, 'no-sender')
      if (to.length === 0) return dropped(attempt, due, 'no-recipients')
      const window = windowOf(due, mailer.digestMinutes)
      if (window && (await joinWindow(attempt, window)) === 'joined') {
        metrics.ended(due.kind, 'joined')
        return joined(attempt)
      }

      const mail = { ...composeMail(due, attempt.key, installation), from, to }
      try {
        await attempt.call('mail', mailer.server, 'send', mail)
      } catch (error) {
        if (!(error instanceof CallError) || error.outcome !== 'refused') throw error
        metrics.ended(due.kind, 'refused')
        return { ...dead('mail-refused'), reason: error.message }
      }
      metrics.ended(due.kind, 'sent')
      return succeeded
    },

    giveUp: (_attempt, error) => dead(error.code),
  }
}

/** Which addresses of Email_ID, and the flag of ConfigProps. Its `notification.type.email` has no value but `email`. */
const audiences = {
  error: { flag: 'notification.email.error.flag', list: 'to' },
  'process-complete': { flag: 'notification.email.process.complete.flag', list: 'toProcessNotification' },
  'no-file': { flag: 'notification.email.process.nofile.flag', list: 'toProcessNotification' },
  recovered: { flag: 'notification.email.error.flag', list: 'to' },
  expiring: { flag: 'notification.email.error.flag', list: 'to' },
} as const satisfies Record<
  Notice['kind'],
  { readonly flag: keyof ConfigProps; readonly list: keyof LookupSnapshot['mail'] }
>

/** The digest of its kind will tell it. */
async function joined(attempt: Attempt): Promise<Settlement> {
  await attempt.note({ what: 'joined' })
  return succeeded
}

const succeeded: Settlement = { state: 'succeeded', outcome: 'SUCCESS' }

/** Without a notice: mails about mails would never end. */
const dead = (code: TielineError['code']): Settlement => ({ state: 'dead', outcome: 'FAILURE', code })

function readNotice(payload: unknown): Notice {
  const parsed = notice.safeParse(payload)
  if (parsed.success) return parsed.data
  const faults = describeIssues(parsed.error).map(({ path, rule }) => `${path || 'the notice'} ${rule}`)
  throw new TielineError('contract-violation', never, `The notice breaks its contract: ${faults.join(', ')}`)
}
