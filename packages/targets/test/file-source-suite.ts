import type { CallError } from '@tieline/runtime/error'
import { describe } from 'vitest'
import type { FileSource, SourceFile } from '../src/file-source.ts'
import { describeListing } from './file-source-listing.ts'
import type { SourceRecipe } from './file-source-program.ts'
import { describeReading } from './file-source-reading.ts'
import { describeRenaming } from './file-source-renaming.ts'

/** A real place, with a way to its files around the source that is tested. */
export interface SourceUnderTest extends AsyncDisposable {
  open(): Promise<FileSource>
  /** A source of a directory or bucket that does not exist. */
  openMissing(): Promise<FileSource>
  /** How another process opens it. */
  readonly recipe: SourceRecipe
  put(name: string, content: string | Buffer): Promise<void>
  remove(name: string): Promise<void>
  read(name: string): Promise<Buffer>
  /** In the order of names. */
  names(): Promise<string[]>
}

export type Setup<Place extends SourceUnderTest = SourceUnderTest> = () => Promise<Place>

/** What every place of files promises. See also `describeFolders` and `describeNetwork`. */
export function describeFileSource(name: string, setup: Setup): void {
  describe(name, () => {
    describeListing(setup)
    describeReading(setup)
    describeRenaming(setup)
  })
}

/** The file of that name, as it is listed now. */
export async function fileOf(source: FileSource, name: string): Promise<SourceFile> {
  const file = (await source.list(name)).find((found) => found.name === name)
  if (file === undefined) throw new Error(`${name} is not listed`)
  return file
}

/** The error of what must fail. */
export const failureOf = (work: Promise<unknown>): Promise<CallError> =>
  work.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: CallError) => error,
  )
