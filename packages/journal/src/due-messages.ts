import { createHash, randomUUID } from 'node:crypto'
import type { Notice } from '@tieline/contracts/notice'
import { type Journal, payloadContext } from './journal.ts'

/** A due e-mail as a message of its own: created by the script that makes it due, retried and kept like any other. */
export interface NoticeMessage {
  readonly key: string
  readonly run: string
  readonly sealed: string
  /** Arguments of the script, see `create` in the prelude. */
  readonly fields: object
}

/** The key derives from the message, its generation and the reason, so that a repeated script makes no second e-mail. */
export function noticeMessage(journal: Journal, notice: Notice, generation: number): NoticeMessage {
  const id = createHash('sha256')
    .update(`${notice.messageKey}#${generation}#${notice.kind}#${notice.code}`)
    .digest('hex')
    .slice(0, 24)
  const key = `notification.${notice.flow}.${id}`
  const run = randomUUID()
  return {
    key,
    run,
    sealed: journal.sealer.seal(JSON.stringify(notice), payloadContext(key)),
    fields: {
      key,
      flow: 'notification',
      instance: notice.flow,
      id,
      client: 'tieline',
      hash: id,
      run,
      terms: [notice.messageKey.toLowerCase()],
      code: notice.code,
    },
  }
}
