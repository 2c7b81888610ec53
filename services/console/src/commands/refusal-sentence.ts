import { failures } from '@tieline/contracts/failures'
import type { Refusal } from '@tieline/journal/operations'
import { printable } from '../table.ts'

/** Why the journal did not do what an operator asked for. */
export function refusalSentence(refusal: Refusal, key: string): string {
  const message = printable(key)
  switch (refusal) {
    case 'unknown-message':
      return `There is no message ${message}. \`messages find\` finds messages by an id that they carry.`
    case 'open':
      return `${message} is still being worked on; nothing was changed.`
    case 'settled':
      return `${message} has ended already; nothing was changed.`
    case 'not-dead':
      return `${message} is no dead letter; nothing was changed.`
    case 'not-failed':
      return `${message} needs no attention; nothing was changed.`
    case 'payload-trimmed':
      return `${message} cannot run again. ${failures[refusal].meaning} ${failures[refusal].next}`
  }
}
