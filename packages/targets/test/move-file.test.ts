import { link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { moveFile, moveWithoutLinks } from '../src/move-file.ts'

async function setUp() {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-move-'))
  const path = (name: string) => join(directory, name)
  await writeFile(path('file'), 'content')
  return { directory, path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}

describe.each([
  ['with hard links', moveFile],
  ['without hard links', moveWithoutLinks],
])('moving a file %s', (_, move) => {
  test('gives it the new name', async () => {
    await using place = await setUp()
    expect(await move(place.path('file'), place.path('moved'))).toBe('renamed')
    expect(await readdir(place.directory)).toEqual(['moved'])
    expect(await readFile(place.path('moved'), 'utf8')).toBe('content')
  })

  test('overwrites nothing, not even an empty file', async () => {
    await using place = await setUp()
    await writeFile(place.path('moved'), '')
    expect(await move(place.path('file'), place.path('moved'))).toBe('exists')
    expect(await readFile(place.path('file'), 'utf8')).toBe('content')
    expect(await readFile(place.path('moved'), 'utf8')).toBe('')
  })

  test('leaves nothing behind when the file is gone', async () => {
    await using place = await setUp()
    expect(await move(place.path('missing'), place.path('moved'))).toBe('changed')
    expect(await readdir(place.directory)).toEqual(['file'])
  })

  test('lets one of many win who move it to names of their own', async () => {
    await using place = await setUp()
    const names = Array.from({ length: 20 }, (_, index) => `moved-${index}`)
    const ends = await Promise.all(names.map((name) => move(place.path('file'), place.path(name))))
    expect(ends.filter((end) => end === 'renamed')).toHaveLength(1)
    expect(await readdir(place.directory)).toEqual([names[ends.indexOf('renamed')]])
  })
})

test('a move that a crash left with both names is finished, by one of all who try, and the file stays', async () => {
  await using place = await setUp()
  await link(place.path('file'), place.path('moved'))
  const ends = await Promise.all(Array.from({ length: 10 }, () => moveFile(place.path('file'), place.path('moved'))))
  expect(ends.filter((end) => end === 'renamed')).toHaveLength(1)
  expect(await readdir(place.directory)).toEqual(['moved'])
  expect(await readFile(place.path('moved'), 'utf8')).toBe('content')
})

test('a file that is moved to its own name stays', async () => {
  await using place = await setUp()
  expect(await moveFile(place.path('file'), place.path('file'))).toBe('exists')
  expect(await readFile(place.path('file'), 'utf8')).toBe('content')
})
