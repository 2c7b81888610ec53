import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import type { Renamed } from './file-source.ts'

/**
 * Gives a file another name in the same directory, overwriting nothing: a second link, then the first one away. Unlike a
 * rename, a link fails when the name is taken. Of several who do this to one file at once, one succeeds. Where a crash left both
 * names, the first one goes.
 * @throws an error of the file system
 */
export async function moveFile(from: string, to: string): Promise<Renamed> {
  try {
    await link(from, to)
  } catch (error) {
    switch (codeOf(error)) {
      case 'EEXIST':
        if (!(await isSameFile(from, to))) return 'exists'
        break
      case 'ENOENT':
        return 'changed'
      // No hard links here, or none to the files of other users (Linux, fs.protected_hardlinks).
      case 'EPERM':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'ENOSYS':
        return moveWithoutLinks(from, to)
      default:
        throw error
    }
  }
  return undoUnlessMoved(
    () => unlink(from),
    async () => {
      // The name may be the last one of the file when another one took the first away.
      if ((await lstat(to)).nlink > 1) await unlink(to)
    },
  )
}

/** Under two names. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => lstat(path, { bigint: true }).catch(() => undefined)))
  return one !== other && a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}

/**
 * The same where there are no hard links: an empty file takes the name first, which fails when it is taken, and a rename
 * overwrites nothing but that. A crash between the two leaves the empty file.
 */
export async function moveWithoutLinks(from: string, to: string): Promise<Renamed> {
  try {
    const placeholder = await open(to, 'wx')
    await placeholder.close()
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'exists'
    throw error
  }
  return undoUnlessMoved(
    () => rename(from, to),
    () => unlink(to),
  )
}

/** Another one may have moved the file by now, or we may not take it away: then nothing of ours shall remain. */
async function undoUnlessMoved(move: () => Promise<void>, undo: () => Promise<void>): Promise<Renamed> {
  try {
    await move()
    return 'renamed'
  } catch (error) {
    await undo()
    if (codeOf(error) === 'ENOENT') return 'changed'
    throw error
  }
}

/** Of an error of the file system, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined
