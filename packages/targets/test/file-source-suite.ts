import type { CallError } from '@tieline/runtime/error'
import { describe } from 'vitest'
import type { FileReader, FileSource, ReaderOptions, SourceFile } from '../src/file-source.ts'
import { describeFinding } from './file-source-finding.ts'
import { describeListing } from './file-source-listing.ts'
import type { ReaderRecipe } from './file-source-program.ts'
import { describeReading } from './file-source-reading.ts'
import { describeRenaming } from './file-source-renaming.ts'

/** A real place, with a way to its files around the reader that is tested. */
export interface ReaderUnderTest extends AsyncDisposable {
  open(options?: ReaderOptions): Promise<FileReader>
  /** Reads a directory or bucket that does not exist. */
  openMissing(): Promise<FileReader>
  /** How another process opens it. */
  readonly recipe: ReaderRecipe
  /** The name may be a path with folders. */
  put(name: string, content: string | Buffer): Promise<void>
  remove(name: string): Promise<void>
}

/** One whose files can be listed and renamed. */
export interface SourceUnderTest extends ReaderUnderTest {
  open(options?: ReaderOptions): Promise<FileSource>
  openMissing(): Promise<FileSource>
  read(name: string): Promise<Buffer>
  /** In the order of names. */
  names(): Promise<string[]>
}

export type Setup<Place extends ReaderUnderTest = SourceUnderTest> = () => Promise<Place>

/** What every place promises whose files can be found and read. See also `describeFolders` and `describeNetwork`. */
export function describeFileReader(name: string, setup: Setup<ReaderUnderTest>): void {
  describe(name, () => {
    describeFinding(setup)
    describeReading(setup)
  })
}

/** What every place promises whose files can be listed and renamed as well. */
export function describeFileSource(name: string, setup: Setup): void {
  describeFileReader(name, setup)
  describe(name, () => {
    describeListing(setup)
    describeRenaming(setup)
  })
}

/** The file of that name, as it is now. */
export async function fileOf(source: FileReader, name: string): Promise<SourceFile> {
  const file = await source.find(name)
  if (file === undefined) throw new Error(`${name} is not there`)
  return file
}

/** The error of what must fail. */
export const failureOf = (work: Promise<unknown>): Promise<CallError> =>
  work.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: CallError) => error,
  )
