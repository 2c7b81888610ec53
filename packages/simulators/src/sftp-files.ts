import type { Stats } from 'node:fs'
import { type FileHandle, link, lstat, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises'
import { join, posix, relative } from 'node:path'
import ssh2, { type Attributes, type FileEntry } from 'ssh2'

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp

/** What a request is answered with. */
export type Reply =
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'handle'; readonly handle: Buffer }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'attributes'; readonly attributes: Attributes }
  | { readonly kind: 'names'; readonly names: FileEntry[] }

/** How many entries OpenSSH tells at a time. */
const entriesMax = 100

/** As OpenSSH; a client that asks for more gets less. */
const readBytesMax = 256 * 1024

/** The requests of one client on a directory that it sees as `/`. Every method can throw an error of the file system. */
export function createSftpFiles(root: string) {
  const handles = new Map<number, OpenHandle>()
  let lastHandle = 0

  const real = (path: string) => join(root, absolute(path))
  const keep = (handle: OpenHandle): Reply => {
    const id = Buffer.alloc(4)
    id.writeUInt32BE(++lastHandle)
    handles.set(lastHandle, handle)
    return { kind: 'handle', handle: id }
  }
  const find = (handle: Buffer): OpenHandle => {
    const found = handle.length === 4 ? handles.get(handle.readUInt32BE()) : undefined
    if (found === undefined) throw Object.assign(new Error('Unknown handle'), { code: 'EBADF' })
    return found
  }
  const fileOf = (handle: Buffer): FileHandle => {
    const { file } = find(handle)
    if (file === undefined) throw Object.assign(new Error('Not a file'), { code: 'EISDIR' })
    return file
  }

  return {
    /** The path of a handle, as it was opened; empty when it is not open. */
    pathOf: (handle: Buffer): string => (handle.length === 4 && handles.get(handle.readUInt32BE())?.path) || '',
    /** Links are followed, as OpenSSH does; what leads out of the directory is not there. */
    async realpath(path: string): Promise<Reply> {
      const [top, found] = await Promise.all([root, real(path)].map((place) => realpath(place)))
      const filename = `/${relative(top ?? '', found ?? '')}`
      if (filename.startsWith('/..')) throw Object.assign(new Error('Outside'), { code: 'ENOENT' })
      return { kind: 'names', names: [{ filename, longname: '', attrs: noAttributes }] }
    },
    stat: async (path: string): Promise<Reply> => attributesReply(await stat(real(path))),
    lstat: async (path: string): Promise<Reply> => attributesReply(await lstat(real(path))),
    fstat: async (handle: Buffer): Promise<Reply> => attributesReply(await fileOf(handle).stat()),
    async opendir(path: string): Promise<Reply> {
      const names = await readdir(real(path))
      return keep({ path, names: ['.', '..', ...names] })
    },
    async readdir(handle: Buffer): Promise<Reply> {
      const { path, names = [] } = find(handle)
      const some = names.splice(0, entriesMax)
      if (some.length === 0) return { kind: 'status', code: STATUS_CODE.EOF }
      const entries = some.map(async (filename) => {
        const stats = await lstat(join(real(path), filename)).catch(() => undefined)
        if (stats === undefined) return []
        return [
          { filename, longname: `?--------- 1 tieline tieline ${stats.size} ${filename}`, attrs: toAttributes(stats) },
        ]
      })
      // What went away meanwhile is left out.
      return { kind: 'names', names: (await Promise.all(entries)).flat() }
    },
    async open(path: string, flags: number): Promise<Reply> {
      return keep({ path, file: await open(real(path), flagsToString(flags) ?? 'r') })
    },
    async read(handle: Buffer, offset: number, length: number): Promise<Reply> {
      const data = Buffer.alloc(Math.min(length, readBytesMax))
      const { bytesRead } = await fileOf(handle).read(data, 0, data.length, offset)
      if (bytesRead === 0) return { kind: 'status', code: STATUS_CODE.EOF }
      return { kind: 'data', data: data.subarray(0, bytesRead) }
    },
    async write(handle: Buffer, offset: number, data: Buffer): Promise<Reply> {
      await fileOf(handle).write(data, 0, data.length, offset)
      return done
    },
    async close(handle: Buffer): Promise<Reply> {
      const { file } = find(handle)
      handles.delete(handle.readUInt32BE())
      await file?.close()
      return done
    },
    async rename(from: string, to: string): Promise<Reply> {
      if ((await lstat(real(from))).isDirectory()) await rename(real(from), real(to))
      else await moveFile(real(from), real(to))
      return done
    },
    async remove(path: string): Promise<Reply> {
      await unlink(real(path))
      return done
    },
    /** Closes what the client left open. */
    async closeAll(): Promise<void> {
      await Promise.all([...handles.values()].map(({ file }) => file?.close()))
      handles.clear()
    },
  }
}

/** The status that OpenSSH makes of an error of the file system. */
export function statusOf(error: unknown): Reply {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EBADF':
    case 'ELOOP':
      return { kind: 'status', code: STATUS_CODE.NO_SUCH_FILE }
    case 'EPERM':
    case 'EACCES':
      return { kind: 'status', code: STATUS_CODE.PERMISSION_DENIED }
    default:
      return { kind: 'status', code: STATUS_CODE.FAILURE }
  }
}

interface OpenHandle {
  readonly path: string
  readonly file?: FileHandle
  /** Entries that were not told yet. */
  readonly names?: string[]
}

const done: Reply = { kind: 'status', code: STATUS_CODE.OK }

const noAttributes: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 }

/** No path leads out of the directory. */
const absolute = (path: string): string => posix.normalize(posix.join('/', path))

/** Fails when the target exists. When another one was faster, nothing remains of this rename. */
async function moveFile(from: string, to: string): Promise<void> {
  await link(from, to)
  try {
    await unlink(from)
  } catch (error) {
    await rm(to)
    throw error
  }
}

const attributesReply = (stats: Stats): Reply => ({ kind: 'attributes', attributes: toAttributes(stats) })

const toAttributes = ({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes => ({
  mode,
  uid,
  gid,
  size,
  atime: Math.floor(atimeMs / 1_000),
  mtime: Math.floor(mtimeMs / 1_000),
})
