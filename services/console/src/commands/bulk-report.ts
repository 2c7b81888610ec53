import type { Bulk } from '@tieline/journal/bulk'
import type { Tools } from '../tools.ts'
import { CommandFault } from './command.ts'

/** Says on standard error how far a bulk command is, to whoever sits at a terminal. */
export const progressOn =
  ({ terminal: { stderr } }: Tools, total: number) =>
  (through: number): void => {
    if (stderr.isTTY) stderr.write(`\r${through} of ${total}${through === total ? '\n' : ''}`)
  }

/** @throws CommandFault saying why some of them were left as they were */
export function reportBulk({ done, refused }: Bulk, total: number, what: string, { print }: Tools): void {
  print(`${done} of ${total} ${what}.`)
  if (refused.size === 0) return
  const reasons = [...refused].map(([refusal, count]) => `${count} ${refusal}`).join(', ')
  throw new CommandFault(`${total - done} were not: ${reasons}.${refused.has('older-dead') ? olderDead : ''}`)
}

const olderDead = ' older-dead: take the older dead letters of their lines along, or resubmit or discard those first.'
