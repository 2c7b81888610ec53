import { createHash } from 'node:crypto'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startDermsSimulator } from '../src/start.ts'
import { breakOff } from './break-off.ts'
import { call } from './call.ts'

const basic = { username: 'nms', password: 'secret' }
const authorization = `Basic ${Buffer.from('nms:secret').toString('base64')}`
const derms = await startDermsSimulator({ auth: { basic } })
const { simulator } = derms
const root = `${derms.url}/site1/nms-drms/rest/v1/device-score`

beforeEach(() => simulator.reset())
afterAll(() => derms[Symbol.asyncDispose]())

const send = (name: string, content: string, headers: Record<string, string> = {}) =>
  call(`${root}/${name}`, 'POST', content, { authorization, 'content-type': 'application/octet-stream', ...headers })
const fileOf = (name: string, content: string) => ({
  name,
  bytes: Buffer.byteLength(content),
  sha256: createHash('sha256').update(content).digest('hex'),
})

test('knows each file by its name, its length and its digest, in the order of arrival', async () => {
  const large = 'DEVICE_ID,SCORE\n'.repeat(200_000)
  expect((await send('DeviceScore_1.csv', large)).status).toBe(200)
  expect((await send('Ger%C3%A4te%2F100%25%20a.csv', '')).status).toBe(200)
  expect((await send('DeviceScore_1.csv', 'ä')).status).toBe(200)
  const files = [fileOf('DeviceScore_1.csv', large), fileOf('Geräte/100% a.csv', ''), fileOf('DeviceScore_1.csv', 'ä')]
  expect(simulator.scoreFiles).toEqual(files)
  expect((await call(`${derms.url}/control/state`, 'GET')).body.scoreFiles).toEqual(files)
  simulator.reset()
  expect(simulator.scoreFiles).toEqual([])
})

test('keeps nothing of the content', async () => {
  await send('DeviceScore_1.csv', 'DEVICE_ID,SCORE\nplanted,7\n')
  await send('DeviceScore_2.csv', '{"planted":7}', { 'content-type': 'application/json' })
  const [{ body: received }, { body: state }] = await Promise.all([
    call(`${derms.url}/control/received`, 'GET'),
    call(`${derms.url}/control/state`, 'GET'),
  ])
  const { name: _, ...digest } = fileOf('', 'DEVICE_ID,SCORE\nplanted,7\n')
  expect(received[0]).toMatchObject({ operation: 'deviceScore', body: digest, answered: 200, applied: true })
  expect(JSON.stringify([received, state])).not.toContain('planted')
})

test.each(['text/csv', 'application/json', 'application/octet-streams'])('refuses %s with 415', async (type) => {
  expect((await send('DeviceScore_1.csv', 'a,b\n', { 'content-type': type })).status).toBe(415)
  expect(simulator.received).toMatchObject([{ operation: 'deviceScore', answered: 415, applied: false }])
  expect(simulator.scoreFiles).toEqual([])
})

test('takes no file without credentials, without a name, or with a name that cannot be decoded', async () => {
  expect((await send('DeviceScore_1.csv', 'a', { authorization: 'Basic x' })).status).toBe(401)
  expect((await send('', 'a')).status).toBe(404)
  expect((await send('100%.csv', 'a')).status).toBe(404)
  expect(simulator.received.map(({ operation }) => operation)).toEqual(['deviceScore', 'unknown', 'unknown'])
  expect(simulator.scoreFiles).toEqual([])
})

test('fails the file whose decoded name holds a text', async () => {
  simulator.failNext({ operation: 'deviceScore', status: 503, containing: 'Geräte 2' })
  const answers = [await send('Ger%C3%A4te%201.csv', 'a'), await send('Ger%C3%A4te%202.csv', 'a')]
  expect(answers.map(({ status }) => status)).toEqual([200, 503])
  expect((await send('Ger%C3%A4te%202.csv', 'a')).status).toBe(200)
  expect(simulator.scoreFiles.map(({ name }) => name)).toEqual(['Geräte 1.csv', 'Geräte 2.csv'])
})

test('takes a file and leaves the sender without an answer when told to', async () => {
  simulator.applyThenDrop({ operation: 'deviceScore' })
  await expect(send('DeviceScore_1.csv', 'a')).rejects.toThrow()
  expect(simulator.scoreFiles).toEqual([fileOf('DeviceScore_1.csv', 'a')])
})

test.each(['content-length: 100', 'chunked'] as const)('counts a broken upload as nothing: %s', async (length) => {
  simulator.failNext({ operation: 'deviceScore', status: 503 })
  await breakOff('POST', `${root}/DeviceScore_1.csv`, length)
  expect((await send('DeviceScore_2.csv', 'a')).status).toBe(503)
  expect((await send('DeviceScore_2.csv', 'a')).status).toBe(200)
  expect(simulator.received.map(({ answered }) => answered)).toEqual([503, 200])
  expect(simulator.scoreFiles).toEqual([fileOf('DeviceScore_2.csv', 'a')])
})
