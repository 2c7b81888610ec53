import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startObjectStorage } from '../src/object-storage.ts'
import { callSigned, type SignedRequest } from './call-signed.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const user = { tenancy: 'ocid1.tenancy.t', user: 'ocid1.user.u', fingerprint: 'aa:bb' }
const keyId = 'ocid1.tenancy.t/ocid1.user.u/aa:bb'
const { url, simulator, ...storage } = await startObjectStorage({
  buckets: ['scores'],
  users: [{ ...user, publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })) }],
})
const bucket = simulator.bucket('scores')

beforeEach(() => simulator.reset())
afterAll(() => storage[Symbol.asyncDispose]())

/** Below the bucket unless the path is whole. */
const call = (method: string, path: string, request: Partial<SignedRequest> = {}) =>
  callSigned(url, method, path.startsWith('/n/') ? path : `/n/tieline/b/scores${path}`, {
    key: privateKey,
    keyId,
    ...request,
  })

const put = (name: string, content = name) => bucket.put(name, Readable.from([Buffer.from(content)]))

describe('the signature', () => {
  const details = { sourceName: 'a', newName: 'b' }
  const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000)

  test('lets in whoever signs with the key', async () => {
    await put('a')
    expect((await call('GET', '/o')).status).toBe(200)
    expect((await call('PUT', '/o/b', { content: 'b' })).status).toBe(200)
    expect((await call('POST', '/actions/renameObject', { body: { ...details, newName: 'c' } })).status).toBe(200)
  })

  test.each<[string, string, string, Partial<SignedRequest>]>([
    ['none', 'GET', '/o', { forged: { authorization: '' } }],
    ['another key', 'GET', '/o', { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }],
    ['an unknown key id', 'GET', '/o', { keyId: 'ocid1.tenancy.t/ocid1.user.u/cc:dd' }],
    ['an old date', 'GET', '/o', { date: minutesFromNow(-6) }],
    ['a date to come', 'GET', '/o', { date: minutesFromNow(6) }],
    ['another date than was signed', 'GET', '/o', { forged: { 'x-date': minutesFromNow(1).toUTCString() } }],
    [
      'another hash than that of the body',
      'POST',
      '/actions/renameObject',
      { body: details, forged: { 'x-content-sha256': 'x' } },
    ],
  ])('keeps out: %s', async (_, method, path, request) => {
    await put('a')
    const answer = await call(method, path, request)
    expect(answer).toMatchObject({ status: 401, json: { code: 'NotAuthenticated' } })
    expect(simulator.received).toMatchObject([{ answered: 401, applied: false }])
    expect([...bucket.objects.keys()]).toEqual(['a'])
  })
})

describe('objects', () => {
  test('are listed in pages, by the bytes of their names, with the fields that are asked for', async () => {
    for (const name of ['b', 'a/x', 'é', 'a', '\u{1F600}', '\uFF5E']) await put(name)
    const names = async (query: string) =>
      (await call('GET', `/o?${query}`)).json.objects.map(({ name }: { name: string }) => name)
    expect((await call('GET', '/o')).json.objects[0]).toEqual({ name: 'a' })
    expect((await call('GET', '/o?fields=name,size,etag')).json.objects[0]).toEqual({
      name: 'a',
      size: 1,
      etag: expect.any(String),
    })
    expect(await names('')).toEqual(['a', 'a/x', 'b', 'é', '\uFF5E', '\u{1F600}'])
    expect(await names('prefix=a')).toEqual(['a', 'a/x'])
    expect(await names('start=b&end=%C3%A9')).toEqual(['b'])
    expect(await names('startAfter=b&limit=1')).toEqual(['é'])
    expect((await call('GET', '/o?limit=2')).json.nextStartWith).toBe('b')
    expect((await call('GET', '/o?limit=6')).json.nextStartWith).toBeUndefined()
    expect((await call('GET', '/o?fields=name,owner')).json).toMatchObject({ code: 'InvalidParameter' })
  })

  test('come at most a thousand to a page', async () => {
    for (let count = 0; count < 1_001; count += 1) await put(`f${String(count).padStart(4, '0')}`)
    const page = (await call('GET', '/o?limit=5000')).json
    expect(page.objects).toHaveLength(1_000)
    expect(page.nextStartWith).toBe('f1000')
  })

  test('are put, got whole or in part, looked at and deleted', async () => {
    const { headers } = await call('PUT', '/o/two%20words%2F1', { content: 'content' })
    expect([...bucket.objects.keys()]).toEqual(['two words/1'])
    const got = await call('GET', '/o/two%20words%2F1')
    expect(got).toMatchObject({ status: 200, text: 'content' })
    expect(got.headers.get('etag')).toBe(headers.get('etag'))
    expect(await call('GET', '/o/two%20words%2F1', { headers: { range: 'bytes=3-5' } })).toMatchObject({
      status: 206,
      text: 'ten',
    })
    expect((await call('HEAD', '/o/two%20words%2F1')).headers.get('content-length')).toBe('7')
    expect((await call('DELETE', '/o/two%20words%2F1')).status).toBe(204)
    expect(await call('GET', '/o/two%20words%2F1')).toMatchObject({ status: 404, json: { code: 'ObjectNotFound' } })
  })

  test('are put and got only under the conditions of the request', async () => {
    const { etag } = await put('a')
    const ifNoneMatch = { headers: { 'if-none-match': '*' }, content: 'new' }
    expect(await call('PUT', '/o/a', ifNoneMatch)).toMatchObject({ status: 412, json: { code: 'IfNoneMatchFailed' } })
    expect((await call('GET', '/o/a', { headers: { 'if-match': etag } })).text).toBe('a')
    const other = { headers: { 'if-match': 'other' } }
    expect(await call('GET', '/o/a', other)).toMatchObject({ status: 412, json: { code: 'IfMatchFailed' } })
    expect((await call('PUT', '/o/b', ifNoneMatch)).status).toBe(200)
  })

  test('are renamed only under the conditions of the request', async () => {
    const { etag } = await put('a')
    await put('b')
    const rename = (details: object) =>
      call('POST', '/actions/renameObject', { body: { sourceName: 'a', newName: 'b', ...details } })
    expect(await rename({ newObjIfNoneMatchETag: '*' })).toMatchObject({
      status: 412,
      json: { code: 'IfNoneMatchFailed' },
    })
    expect(await rename({ srcObjIfMatchETag: 'other' })).toMatchObject({ status: 412, json: { code: 'IfMatchFailed' } })
    expect(await rename({ sourceName: 'missing' })).toMatchObject({ status: 404, json: { code: 'ObjectNotFound' } })
    expect(await rename({ newName: 'c', srcObjIfMatchETag: etag, newObjIfNoneMatchETag: '*' })).toMatchObject({
      status: 200,
      text: '',
    })
    expect([...bucket.objects.keys()].sort()).toEqual(['b', 'c'])
    expect(String(await bucket.read('c'))).toBe('a')
  })

  test('are made of the parts that were committed, and not before', async () => {
    const { uploadId } = (await call('POST', '/u', { body: { object: 'a' } })).json
    const part = async (number: number, content: string) => ({
      partNum: number,
      etag: (await call('PUT', `/u/a?uploadId=${uploadId}&uploadPartNum=${number}`, { content })).headers.get('etag'),
    })
    const partsToCommit = [await part(1, 'one '), await part(2, 'two')]
    expect(bucket.objects.size).toBe(0)
    expect((await call('GET', '/u')).json).toMatchObject([{ object: 'a', uploadId }])
    const commit = `/u/a?uploadId=${uploadId}`
    expect((await call('POST', commit, { body: { partsToCommit: [{ partNum: 3, etag: 'x' }] } })).status).toBe(400)
    expect((await call('POST', commit, { body: { partsToCommit } })).status).toBe(200)
    expect(String(await bucket.read('a'))).toBe('one two')
    expect(bucket.uploads.size).toBe(0)
    expect((await call('DELETE', commit)).status).toBe(404)
  })
})

describe('what is not there', () => {
  test.each([
    ['/n/tieline/b/missing/o', 'BucketNotFound'],
    ['/n/missing/b/scores/o', 'NamespaceNotFound'],
  ])('%s is answered with %s', async (path, code) => {
    expect(await call('GET', path)).toMatchObject({ status: 404, json: { code } })
  })
})

describe('faults on demand', () => {
  test('fails the next requests of an operation, with or without an effect', async () => {
    simulator.failNext({ operation: 'putObject', status: 503 })
    simulator.failNext({ operation: 'putObject', status: 500, apply: true })
    const answers = [await call('PUT', '/o/a', { content: 'a' }), await call('PUT', '/o/b', { content: 'b' })]
    expect(answers.map(({ status }) => status)).toEqual([503, 500])
    expect([...bucket.objects.keys()]).toEqual(['b'])
    expect(simulator.received).toMatchObject([{ operation: 'putObject', applied: false }, { applied: true }])
  })

  test('cuts the connection before or after an effect, and in the middle of content', async () => {
    await put('a', 'content'.repeat(100_000))
    simulator.dropBefore({ operation: 'deleteObject' })
    await expect(call('DELETE', '/o/a')).rejects.toThrow()
    expect(bucket.objects.size).toBe(1)
    simulator.cutAfter(300_000)
    await expect(call('GET', '/o/a')).rejects.toThrow()
    expect((await call('GET', '/o/a')).text).toHaveLength(700_000)
    simulator.applyThenDrop({ operation: 'deleteObject' })
    await expect(call('DELETE', '/o/a')).rejects.toThrow()
    expect(bucket.objects.size).toBe(0)
  })
})
