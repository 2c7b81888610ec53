import { createHash } from 'node:crypto'
import type { FailureCode } from '@tieline/contracts/failures'
import type { Notice } from '@tieline/contracts/notice'
import type { Records } from '@tieline/journal/transfers/recorded'
import type { Attempt } from '@tieline/journal/types'
import type { SourceFile } from '@tieline/targets/file-source'

/** What became of a file in this run. */
export interface Fate {
  readonly name: string
  /** `refused`: its name cannot be used, or a link leads out of the place, so it was not touched. */
  readonly became: 'sent' | 'failed' | 'refused'
  readonly code?: FailureCode
  /** Its name at the source now. */
  readonly movedTo?: string
}

/**
 * What the journal knows of files: by name and version, until they are renamed. A file is sent, then its fate is noted, then it
 * is renamed, then the sending is forgotten, so that another file of its name is a new one. Whatever crashes in between, the next
 * attempt or run does only what is missing.
 */
export interface Ledger {
  /** Of this run, in the order in which they were known. */
  readonly fates: () => readonly Fate[]
  /** Its fate is known, but perhaps it was not renamed. */
  decided(file: SourceFile): { readonly fate: Fate } | undefined
  decide(file: SourceFile, fate: Fate, notices: readonly Notice[]): Promise<void>
  finish(file: SourceFile, fate: Fate): Promise<void>
  /** Files that are not there any more were renamed, or taken away: there is nothing left to do about them. */
  forgetAllBut(files: readonly SourceFile[]): Promise<void>
}

/** Names the intention to send this version of the file. */
export const sendEffect = (file: SourceFile): string => `send.${identify(file)}`

export async function openLedger(attempt: Pick<Attempt, 'effects'>, records: Records): Promise<Ledger> {
  const fates = new Map((await records.recorded()) as ReadonlyMap<string, Fate>)
  const sent = new Set((await attempt.effects()).map(({ id }) => id))
  return {
    fates: () => [...fates.values()],
    decided(file) {
      const fate = sent.has(sendEffect(file)) && fates.get(identify(file))
      return fate ? { fate } : undefined
    },
    async decide(file, fate, notices) {
      await records.record(identify(file), fate, { notices })
      fates.set(identify(file), fate)
    },
    async finish(file, fate) {
      await records.record(identify(file), fate, { forget: sendEffect(file) })
      fates.set(identify(file), fate)
      sent.delete(sendEffect(file))
    },
    async forgetAllBut(files) {
      const present = new Set(files.map(sendEffect))
      await records.forget([...sent].filter((effect) => !present.has(effect)))
    },
  }
}

const identify = ({ name, version }: SourceFile): string =>
  createHash('sha256').update(`${version} ${name}`).digest('hex').slice(0, 24)
