import type { Notice } from '@tieline/contracts/notice'
import { recordContext } from '../journal.ts'
import { dueBlobs, dueFields, enqueueDue, prepareDue } from '../kernel/due-messages.ts'
import type { Attempt } from '../types.ts'

interface RecordOptions {
  readonly notices?: readonly Notice[]
  /** Id of an effect. */
  readonly forget?: string
}

/** What a generation keeps, encrypted, until the next one begins, such as what became of a file. */
export interface Records {
  /** The notices become due with it, and the effect, which is carried through by it, is forgotten. */
  record(field: string, value: unknown, also?: RecordOptions): Promise<void>
  /** All that this generation has recorded. */
  recorded(): Promise<ReadonlyMap<string, unknown>>
  /** Forgets effects whose intentions are of no concern any more: the same ids are new intentions from now on. */
  forget(effects: readonly string[]): Promise<void>
}

/** Redis bounds how many arguments one command of a script may have. */
const forgetAtOnce = 1_000

export function openRecords(attempt: Attempt): Records {
  const { journal, key, pen } = attempt
  return {
    async record(field, value, { notices = [], forget } = {}) {
      const due = prepareDue(journal, attempt, { notices })
      const sealed = journal.sealer.seal(JSON.stringify(value), recordContext(key, field))
      await pen.write('record', { field, forget, ...dueFields(due) }, dueBlobs(due, sealed))
      await enqueueDue(journal, due)
    },
    async recorded() {
      const stored = await journal.redis.hgetall(`${journal.base}:r:${key}`)
      const open = (field: string, sealed: string): unknown =>
        JSON.parse(journal.sealer.open(sealed, recordContext(key, field)))
      return new Map(Object.entries(stored).map(([field, sealed]) => [field, open(field, sealed)]))
    },
    async forget(effects) {
      for (let i = 0; i < effects.length; i += forgetAtOnce) {
        await pen.write('forget', { effects: effects.slice(i, i + forgetAtOnce) })
      }
    },
  }
}
