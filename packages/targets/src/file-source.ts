import type { Readable } from 'node:stream'

/** A file as it was listed. */
export interface SourceFile {
  /** Without directory, exactly as at the source. It comes from outside: see `checkFileName`. */
  readonly name: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
  /** Changes whenever the content may have changed. */
  readonly version: string
}

/**
 * What became of a rename. `exists`: something has the new name already; it was left as it is. `changed`: the file is no
 * longer what was listed; mostly another worker was faster.
 */
export type Renamed = 'renamed' | 'exists' | 'changed'

/**
 * A place that holds files: a directory, here or on an SFTP server, or a bucket. Every method can throw a CallError:
 * `target-unreachable`, `target-unauthorized`, `target-forbidden`, `target-not-found` (the directory or bucket),
 * `target-reset`, `target-timeout`, `target-error`, `host-key-mismatch` (never tried again).
 */
export interface FileReader extends AsyncDisposable {
  /** Name of the connection, for messages. */
  readonly connection: string
  /** Undefined when there is no such file, and for names that must not be used; see `ReaderOptions`. */
  find(name: string): Promise<SourceFile | undefined>
  /**
   * Exactly the bytes of the file as it was found or listed. The stream fails when they cannot all be had, and when the file turns
   * out to have changed meanwhile: only its end says that everything came. Read it or destroy it; it holds a handle.
   * @throws CallError `file-changed` when the file is gone or has changed; `file-name-refused`, also for a file that links lead to
   * out of the place
   */
  open(file: SourceFile, signal?: AbortSignal): Promise<Readable>
}

/** A place whose files can be listed and renamed as well. */
export interface FileSource extends FileReader {
  /**
   * The files whose names begin with `prefix`, in the order of their names. Directories, and links to directories, are
   * left out; names that `checkFileName` refuses are not, so that somebody hears of them.
   */
  list(prefix: string, signal?: AbortSignal): Promise<SourceFile[]>
  /**
   * Gives a file another name in the same place. Of several workers that rename the same file only one is told `renamed`.
   * @throws CallError `file-name-refused` for either name; with outcome `unknown` when nobody can tell whether it was done
   */
  rename(file: SourceFile, newName: string): Promise<Renamed>
}

export interface ReaderOptions {
  /** A file may be found and opened in folders below, under a path with slashes. Else a name with a slash is none. */
  readonly folders?: boolean | undefined
}

/** Longest name that file systems take. */
const nameBytesMax = 255

/** Why a name must not become part of a path or an address; undefined when it may. */
export function checkFileName(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (/[/\\]/.test(name)) return 'holds a slash or backslash'
  if (name === '.' || name.includes('..')) return 'could lead to another directory'
  if (/\p{Cc}/u.test(name)) return 'holds a control character'
  // A source whose names are not UTF-8 shows U+FFFD in their place, and would not know the name that we send back.
  if (!name.isWellFormed() || name.includes('\u{FFFD}')) return 'is not Unicode text'
  if (Buffer.byteLength(name) > nameBytesMax) return `is longer than ${nameBytesMax} bytes`
  return undefined
}

/** More are nobody's way of keeping files. */
const partsMax = 20

/** Why a path must not be followed from the directory or bucket that it begins in; undefined when it may. */
export function checkFilePath(path: string): string | undefined {
  const parts = path.split('/')
  if (parts.length > partsMax) return `has more than ${partsMax} parts`
  return parts.map(checkFileName).find((why) => why !== undefined)
}

/** The rule for names that are found and opened. */
export const nameCheck = ({ folders = false }: ReaderOptions) => (folders ? checkFilePath : checkFileName)

/** The order of `list`: by UTF-16 code units, the same for every source and independent of any locale. */
export const byName = (a: SourceFile, b: SourceFile): number => (a.name < b.name ? -1 : 1)
