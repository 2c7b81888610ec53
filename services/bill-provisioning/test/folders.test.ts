import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { describe, expect, test } from 'vitest'
import { downloadPath, get } from './client.ts'
import { billOf, openService } from './harness.ts'
import { openDirectory, openS3, places } from './places.ts'

describe.each(Object.entries({ ...places, 'a bucket that speaks S3': openS3 }))(
  'bills in folders of %s',
  (_, openPlace) => {
    test('are found by parts of their ids, and nothing else is', async () => {
      await using place = await openPlace()
      await place.put('123/90/1234567890.pdf', billOf(1_000))
      await place.put('12/12/12.pdf', billOf(1_001))
      await place.put('12/flat.pdf', billOf(1_002))
      const bills = { namePattern: '{bill_id:0:3}/{bill_id:-2}/{bill_id}.pdf' }
      await using service = await openService(place, { bills })
      const ask = async (id: string) => {
        const { status, body } = await get(service.url, downloadPath(id))
        return status === 200 ? body.length : status
      }
      expect(await ask('1234567890')).toBe(1_000)
      expect(await ask('12')).toBe(1_001)
      for (const id of ['1234567891', '1', 'flat', '12%2F12', '..%2F12', 'a.b', '1.2'])
        expect([id, await ask(id)]).toEqual([id, 404])
      await using short = await openService(place, { bills: { namePattern: '{bill_id:3:1}/{bill_id}.pdf' } })
      // Too short for a part of it, or parts that would lead elsewhere.
      for (const id of ['123', '123.5']) expect((await get(short.url, downloadPath(id))).status).toBe(404)
    })

    test('must not be named so that a path leads elsewhere', async () => {
      await using place = await openPlace()
      for (const namePattern of [
        '/{bill_id}',
        '../{bill_id}',
        'a//{bill_id}',
        './{bill_id}',
        '{bill_id}/',
        'a\\{bill_id}',
      ]) {
        const failure = await openService(place, { bills: { namePattern } }).catch((error: unknown) => error)
        expect([namePattern, failure]).toEqual([namePattern, expect.any(ConfigurationError)])
      }
    })
  },
)

test('a link out of the directory of the bills leads to no bill', async () => {
  await using place = await openDirectory()
  await using elsewhere = await openDirectory()
  await elsewhere.put('secret.pdf', billOf(1_000))
  await place.put('real.pdf', billOf(1_000))
  await symlink(join(elsewhere.path, 'secret.pdf'), join(place.path, '1.pdf'))
  await symlink(elsewhere.path, join(place.path, 'out'))
  await symlink('real.pdf', join(place.path, '2.pdf'))
  await using service = await openService(place)
  expect((await get(service.url, downloadPath('1'))).status).toBe(500)
  expect((await get(service.url, downloadPath('2'))).status).toBe(200)
  await using below = await openService(place, { bills: { namePattern: 'out/{bill_id}.pdf' } })
  expect((await get(below.url, downloadPath('secret'))).status).toBe(500)
  for (const { downloads } of [service, below]) {
    const [line] = downloads()
    expect(line).toMatchObject({ status: 500, code: 'file-name-refused', level: 'warn' })
    expect(JSON.stringify(line)).toContain('leads out of the directory')
  }
})
