import { buffer } from 'node:stream/consumers'
import { describePayloadStore } from '@tieline/testkit/payload-store-suite'
import { expect, test } from 'vitest'
import { createOciClient } from '../src/oci-client.ts'
import { createOciPayloadStore } from '../src/oci-payload-store.ts'
import { failureOf } from './file-source-suite.ts'
import { startTestStorage } from './oci-recipe.ts'

const mib = 1024 * 1024

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await startTestStorage())
  const client = await createOciClient(place.recipe)
  const store = stack.use(createOciPayloadStore({ client, bucket: 'scores', prefix: 'payloads/' }))
  const owned = stack.move()
  return {
    ...place,
    store,
    list: async () => [
      ...place.bucket.objects.keys(),
      ...[...place.bucket.uploads.values()].map(({ name }) => `an upload of ${name}`),
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function* bytes(length: number) {
  yield Buffer.alloc(length)
}

describePayloadStore('a bucket of Object Storage', setUp)

test('is a folder of the bucket', async () => {
  await using place = await setUp()
  await place.store.put('ref-1', bytes(1))
  expect(await place.list()).toEqual(['payloads/ref-1'])
})

test('uploads what fits into a part at once, and what does not in parts', async () => {
  await using place = await setUp()
  await place.store.put('ref-1', bytes(8 * mib))
  expect(place.operations()).toEqual(['getNamespace', 'putObject'])
  await place.store.put('ref-2', bytes(16 * mib + 1))
  const upload = ['createMultipartUpload', 'uploadPart', 'uploadPart', 'uploadPart', 'commitMultipartUpload']
  expect(place.operations().slice(2)).toEqual(upload)
})

test.each([
  ['putObject', 1],
  ['createMultipartUpload', 20 * mib],
  ['uploadPart', 20 * mib],
  ['commitMultipartUpload', 20 * mib],
])('leaves nothing behind when %s fails, or takes effect and nobody hears of it', async (operation, length) => {
  await using place = await setUp()
  place.storage.failNext({ operation, status: 500 })
  expect(await failureOf(place.store.put('ref-1', bytes(length)))).toMatchObject({
    code: 'target-error',
    message: 'DACS_BUCKET: put answered 500 (SimulatedFailure)',
  })
  expect(await place.list()).toEqual([])

  place.storage.applyThenDrop({ operation })
  expect(await failureOf(place.store.put('ref-2', bytes(length)))).toMatchObject({ code: 'target-reset' })
  expect(await place.list()).toEqual([])
})

test.each([1, 20 * mib])('never overwrites a payload, here with %i bytes', async (length) => {
  await using place = await setUp()
  await place.put('payloads/ref-1', 'first')
  expect(await failureOf(place.store.put('ref-1', bytes(length)))).toMatchObject({ code: 'target-error', status: 412 })
  expect(String(await buffer(await place.store.get('ref-1')))).toBe('first')
  expect(await place.list()).toEqual(['payloads/ref-1'])
})

test('fails a reader when the connection breaks in the middle', async () => {
  await using place = await setUp()
  await place.store.put('ref-1', bytes(9 * mib))
  place.storage.cutAfter(mib)
  await expect(buffer(await place.store.get('ref-1'))).rejects.toMatchObject({ code: 'target-reset' })
  expect(await buffer(await place.store.get('ref-1'))).toHaveLength(9 * mib)
})

test('removes what a put left behind whose process was killed, and no upload of others', async () => {
  await using place = await setUp()
  // More than one page of them.
  for (let count = 0; count < 1_000; count += 1) place.bucket.startUpload('payloads/other', {})
  for (const name of ['payloads/ref-1', 'payloads/ref-11', 'payloads/ref-1']) place.bucket.startUpload(name, {})
  await place.store.remove('ref-1')
  expect([...new Set(await place.list())]).toEqual(['an upload of payloads/other', 'an upload of payloads/ref-11'])
})

test('does not take a missing bucket for a missing payload', async () => {
  await using place = await setUp()
  const client = await createOciClient(place.recipe)
  await using store = createOciPayloadStore({ client, bucket: 'missing', prefix: '' })
  for (const work of [store.get('ref-1'), store.remove('ref-1'), store.put('ref-1', bytes(1))]) {
    expect(await failureOf(work)).toMatchObject({ code: 'target-not-found' })
  }
})
