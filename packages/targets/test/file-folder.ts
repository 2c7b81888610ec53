import { appendFile, chown, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What the suites do to a real directory, around the source that is tested. */
export function createFileFolder(directory: string, owner?: { uid: number; gid: number }) {
  const pathOf = (name: string) => join(directory, name)
  return {
    async put(name: string, content: string | Buffer) {
      if (name.includes('/')) await mkdir(dirname(pathOf(name)), { recursive: true })
      await writeFile(pathOf(name), content)
      if (owner !== undefined) await chown(pathOf(name), owner.uid, owner.gid)
    },
    remove: (name: string) => rm(pathOf(name)),
    read: (name: string) => readFile(pathOf(name)),
    names: async () => (await readdir(directory)).sort(),
    makeFolder: async (name: string) => void (await mkdir(pathOf(name))),
    makeLink: (name: string, target: string) => symlink(target, pathOf(name)),
    async age(name: string) {
      const hourAgo = Date.now() / 1_000 - 3_600
      await utimes(pathOf(name), hourAgo, hourAgo)
    },
    append: (name: string, content: string) => appendFile(pathOf(name), content),
  }
}
