import type { Journal } from './journal.ts'
import { listMessages, type MessageSummary, type Refusal, type Rerun, rerunMessage } from './operations.ts'

/** Enough to be quick, few enough that Redis has time for the messages themselves. */
const linesAtOnce = 8

/** Why a message was left out: an operator decides about the older dead letter of its line first. */
export type BulkRefusal = Refusal | 'older-dead'

export interface Bulk {
  /** How many run again. */
  readonly done: number
  /** How many do not, by reason. */
  readonly refused: ReadonlyMap<BulkRefusal, number>
}

/**
 * Runs settled messages again, each line of them in the order of first acceptance, whatever the order in which they are given
 * or ended; different lines at the same time. A message is left out when its line has an older dead letter that is not among
 * them: once the target had answered the later one, the older could not follow any more.
 * @param progress told after each message how many are through
 */
export async function rerunAll(
  journal: Journal,
  messages: readonly MessageSummary[],
  how: Rerun,
  progress: (through: number) => void = () => undefined,
): Promise<Bulk> {
  const refused = new Map<BulkRefusal, number>()
  const older = await olderDeadOf(journal, messages)
  let through = 0
  let done = 0
  const rerun = async (message: MessageSummary) => {
    const { kind } = older(message) ? { kind: 'older-dead' as const } : await rerunMessage(journal, message.key, how)
    if (kind === 'ok') done += 1
    else refused.set(kind, (refused.get(kind) ?? 0) + 1)
    through += 1
    progress(through)
  }
  const waiting = inLines(messages).values()
  const takeLines = async () => {
    for (const line of waiting) for (const message of line) await rerun(message)
  }
  await Promise.all(Array.from({ length: linesAtOnce }, takeLines))
  return { done, refused }
}

/** What belongs together, in order: the messages of a line, and those that follow it. The line whose first is oldest is first. */
function inLines(messages: readonly MessageSummary[]): MessageSummary[][] {
  const ordered = messages.toSorted((one, other) => one.seq - other.seq)
  return [...Map.groupBy(ordered, ({ line, follows, key }) => line ?? follows ?? key).values()]
}

/** Tells which messages have an older dead letter in their line that is not among them. */
async function olderDeadOf(
  journal: Journal,
  messages: readonly MessageSummary[],
): Promise<(message: MessageSummary) => boolean> {
  const among = new Set(messages.map(({ key }) => key))
  const flows = new Set(messages.filter(({ line }) => line !== undefined).map(({ flow }) => flow))
  const oldest = new Map<string, number>()
  for (const flow of flows) {
    for (const { key, line, seq } of await listMessages(journal, { flow, state: 'dead', limit: allOfThem })) {
      if (line === undefined || among.has(key)) continue
      oldest.set(line, Math.min(seq, oldest.get(line) ?? seq))
    }
  }
  return ({ line, seq }) => line !== undefined && (oldest.get(line) ?? seq) < seq
}

/** More than any installation should ever see at once. */
const allOfThem = 1_000_000
