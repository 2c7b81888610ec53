import { mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ReaderOptions } from '../src/file-source.ts'
import { createFileFolder } from './file-folder.ts'
import { describeFolders } from './file-source-folders.ts'
import { openSource } from './file-source-program.ts'
import { describeFileSource, fileOf } from './file-source-suite.ts'

async function setup() {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-directory-'))
  const recipe = { kind: 'directory', connection: 'BILLS', directory } as const
  return {
    ...createFileFolder(directory),
    recipe,
    open: (options?: ReaderOptions) => openSource({ ...recipe, ...options }),
    openBelow: (folder: string) => openSource({ ...recipe, directory: join(directory, folder), folders: true }),
    openMissing: () => openSource({ ...recipe, directory: join(directory, 'missing') }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

describeFileSource('a directory', setup)
describeFolders('a directory', setup)

test('takes a file in the place of another for another one, even with the same size and time', async () => {
  await using place = await setup()
  await using source = await place.open()
  const pathOf = (name: string) => join(place.recipe.directory, name)
  for (const name of ['file', 'other']) {
    await place.put(name, name.slice(0, 4))
    await utimes(pathOf(name), 1_700_000_000, 1_700_000_000)
  }
  const file = await fileOf(source, 'file')
  await rename(pathOf('other'), pathOf('file'))
  expect((await stat(pathOf('file'))).mtimeMs).toBe(file.modifiedAt)
  await expect(source.open(file)).rejects.toMatchObject({ code: 'file-changed' })
})

test('says that a directory that is a file is no directory', async () => {
  await using place = await setup()
  await place.put('file', 'content')
  await using source = await openSource({ ...place.recipe, directory: join(place.recipe.directory, 'file') })
  await expect(source.list('')).rejects.toMatchObject({ code: 'target-not-found' })
  await expect(source.find('name')).rejects.toMatchObject({ code: 'target-not-found' })
})
