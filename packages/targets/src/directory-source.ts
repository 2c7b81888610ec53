import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { byName, type FileSource, nameCheck, type ReaderOptions, type SourceFile } from './file-source.ts'
import { createFileStream } from './file-stream.ts'
import { codeOf, moveFile } from './move-file.ts'
import {
  failed,
  failIfStopped,
  fileChanged,
  ledOut,
  operate,
  requireFileName,
  SourceFailure,
} from './source-failure.ts'

export interface DirectorySourceOptions extends ReaderOptions {
  /** Name for messages. */
  readonly connection: string
  readonly directory: string
}

/** A directory of this machine, such as a mounted share. */
export function createDirectorySource({ connection, directory, ...options }: DirectorySourceOptions): FileSource {
  const check = nameCheck(options)
  const pathOf = (name: string) => join(directory, name)
  const run = <T>(operation: string, work: () => Promise<T>) =>
    operate(connection, operation, () => work().catch(judge))

  /** What a name stands for, links followed; undefined when it is no file. */
  const look = async (name: string): Promise<SourceFile | undefined> => {
    const found = await stat(pathOf(name), { bigint: true }).catch(missing)
    return found?.isFile() ? { name, ...describe(found) } : undefined
  }
  /** What lies behind a name must lie in the directory, too. Undefined when there is nothing. */
  const openInside = async (name: string): Promise<FileHandle | undefined> => {
    const places = await Promise.all([directory, pathOf(name)].map((path) => realpath(path))).catch(missing)
    if (places === undefined) return undefined
    const [root = '', path = ''] = places
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw ledOut()
    return open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(missing)
  }
  /** A link that cannot be followed, for whatever reason, is as good as none. */
  const follow = (name: string) => look(name).catch(() => undefined)
  const isUnchanged = async (file: SourceFile) => (await look(file.name))?.version === file.version

  return {
    connection,
    list: (prefix, signal) =>
      run('list', async () => {
        failIfStopped(signal)
        const files: SourceFile[] = []
        for (const entry of await readdir(directory, { withFileTypes: true })) {
          failIfStopped(signal)
          if (entry.isDirectory() || !entry.name.startsWith(prefix)) continue
          const file = await (entry.isSymbolicLink() ? follow(entry.name) : look(entry.name))
          if (file !== undefined) files.push(file)
        }
        return files.sort(byName)
      }),
    find: (name) =>
      run('find', async () => {
        if (check(name) !== undefined) return undefined
        const file = await look(name)
        // Without the directory nobody can say that there is no such file.
        if (file === undefined && !(await stat(directory)).isDirectory()) throw noDirectory()
        return file
      }),
    open: (file, signal) =>
      run('open', async () => {
        failIfStopped(signal)
        requireFileName(file.name, check)
        const handle = await openInside(file.name)
        if (handle === undefined) throw fileChanged('found the file gone')
        const confirm = () => requireUnchanged(handle, file).catch(judge)
        const release = () => void handle.close().catch(() => undefined)
        try {
          await confirm()
        } catch (error) {
          release()
          throw error
        }
        return createFileStream({ connection, bytes: file.bytes, chunks: readAll(handle), confirm, release, signal })
      }),
    rename: (file, newName) =>
      run('rename', async () => {
        requireFileName(file.name)
        requireFileName(newName)
        // A change between this look and the rename goes unnoticed: no file system offers both in one step.
        if (!(await isUnchanged(file))) return 'changed'
        const renamed = await moveFile(pathOf(file.name), pathOf(newName))
        return renamed === 'exists' && !(await isUnchanged(file)) ? 'changed' : renamed
      }),
    async [Symbol.asyncDispose]() {},
  }
}

/** The inode tells a file from another one of the same size that took its place within a tick of the clock. */
const describe = ({ size, mtimeNs, ino }: BigIntStats) => ({
  bytes: Number(size),
  modifiedAt: Number(mtimeNs / 1_000_000n),
  version: `${size}-${mtimeNs}-${ino}`,
})

async function requireUnchanged(handle: FileHandle, file: SourceFile): Promise<void> {
  const { version } = describe(await handle.stat({ bigint: true }))
  if (version !== file.version) throw fileChanged('found the file changed')
}

async function* readAll(handle: FileHandle): AsyncGenerator<Buffer, void> {
  for (;;) {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.allocUnsafeSlow(256 * 1024) }).catch(judge)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

const noDirectory = () => new SourceFailure(failed('target-not-found', 'found no such directory'))

function missing(error: unknown): undefined {
  const code = codeOf(error)
  if (code !== 'ENOENT' && code !== 'ELOOP' && code !== 'ENOTDIR') throw error
}

function judge(error: unknown): never {
  const code = codeOf(error)
  switch (code) {
    case undefined:
      throw error
    case 'ENOENT':
    case 'ENOTDIR':
      throw noDirectory()
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      throw new SourceFailure(failed('target-forbidden', `was denied (${code})`))
    default:
      throw new SourceFailure(failed('target-error', `failed (${code})`))
  }
}
