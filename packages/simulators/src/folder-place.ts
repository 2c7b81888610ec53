import { randomUUID } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { FilePlace } from './files-control.ts'
import { Refusal } from './refusal.ts'

export interface FolderPlace extends FilePlace {
  /** Removes all that lies below the root, and makes the folder anew. */
  clear(): Promise<void>
}

/** The files of a folder that lies in a directory of ours; the folder is made. */
export async function createFolderPlace(root: string, folder: string): Promise<FolderPlace> {
  const directory = join(root, folder)
  await mkdir(directory, { recursive: true })

  const pathOf = (name: string): string => {
    if (['', '.', '..'].includes(name) || /[/\0]/.test(name)) {
      throw new Refusal(400, 'Bad name', 'The name of a file is one part of a path')
    }
    return join(directory, name)
  }
  return {
    async list() {
      const files = (await readdir(directory)).sort().map(async (name) => {
        const stats = await lstat(join(directory, name)).catch(() => undefined)
        return stats?.isFile() ? [{ name, bytes: stats.size, modifiedAt: Math.floor(stats.mtimeMs) }] : []
      })
      // What went away meanwhile is left out.
      return (await Promise.all(files)).flat()
    },
    async put(name, content) {
      const path = pathOf(name)
      // Beside the folder, where nobody looks for files.
      const aside = join(root, `.${randomUUID()}`)
      try {
        await pipeline(content, createWriteStream(aside))
        await rename(aside, path)
      } catch (error) {
        await rm(aside, { force: true })
        throw error
      }
    },
    async read(name) {
      await using file = await open(pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW).catch(notFound)
      return await file.readFile()
    },
    async remove(name) {
      await unlink(pathOf(name)).catch(notFound)
    },
    async clear() {
      const names = await readdir(root)
      await Promise.all(names.map((name) => rm(join(root, name), { recursive: true })))
      await mkdir(directory, { recursive: true })
    },
  }
}

function notFound(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    throw new Refusal(404, 'FileNotFound', 'There is no such file')
  }
  throw error
}
