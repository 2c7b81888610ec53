import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createFileStream, type FileStreamOptions } from '../src/file-stream.ts'
import { fileChanged } from '../src/source-failure.ts'
import { failureOf } from './file-source-suite.ts'

/** A stream over these chunks, and how often what it reads from was given back. */
function setUp(bytes: number, chunks: readonly string[], options: Partial<FileStreamOptions> = {}) {
  const released: string[] = []
  async function* read() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const release = () => void released.push('released')
  const stream = createFileStream({ connection: 'FILES', bytes, chunks: read(), release, ...options })
  return { stream, released }
}

test('gives the bytes and then what they came from', async () => {
  const { stream, released } = setUp(7, ['con', '', 'tent'])
  expect(String(await buffer(stream))).toBe('content')
  expect(released).toHaveLength(1)
})

test.each([
  ['fewer', 8, 'FILES: read found fewer bytes than were listed'],
  ['more', 6, 'FILES: read found more bytes than were listed'],
])('fails when there are %s bytes than were listed', async (_, bytes, message) => {
  const { stream, released } = setUp(bytes, ['con', 'tent'])
  expect(await failureOf(buffer(stream))).toMatchObject({ name: 'CallError', code: 'file-changed', message })
  expect(released).toHaveLength(1)
})

const changed = { confirm: () => Promise.reject(fileChanged('found the file changed')) }

test.each([
  ['changed meanwhile', ['con', 'tent', ''], changed],
  ['has more bytes than were listed', ['con', 'tent', '!'], {}],
])('gives less than was announced when the file %s, so that nobody takes it for whole', async (_, chunks, options) => {
  const { stream, released } = setUp(7, chunks, options)
  let given = ''
  const reading = async () => {
    for await (const chunk of stream) given += String(chunk)
  }
  expect(await failureOf(reading())).toMatchObject({ code: 'file-changed' })
  expect(given).toBe('con')
  expect(released).toHaveLength(1)
})

test('gives back what it would have read from when nobody reads it', async () => {
  const { stream, released } = setUp(7, ['content'])
  stream.destroy()
  expect(released).toHaveLength(1)
})

test('is stopped while a chunk is waited for', async () => {
  const stop = new AbortController()
  async function* never() {
    yield Buffer.from('c')
    await new Promise(() => undefined)
  }
  const { stream, released } = setUp(7, [], { chunks: never(), signal: stop.signal })
  const failing = failureOf(buffer(stream))
  stop.abort()
  expect(await failing).toMatchObject({ code: 'target-reset', connection: 'FILES' })
  expect(released).toHaveLength(1)
})
