import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { trimExpired } from '@tieline/journal/kernel/sweeper'
import type { Pipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyOf, openPipeline, outcome, outcomeOf, reservation, reservationOf, sendFile } from './files.ts'

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await openPipeline({ sections: { flows: { 'event-outcome': { segmentRows: 10 } } } })
})
afterAll(() => pipeline[Symbol.asyncDispose]())

const hourMs = 3_600_000
const later = (ms: number) => ({ ...pipeline.journal, clock: () => Date.now() + ms })
const stored = async () => {
  const { installation, environment } = pipeline.settings
  const directory = join(environment.dataDir, 'payloads', installation.installation.name)
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}
const find = async (device: string, ...options: string[]) => {
  const { code, out, err } = await pipeline.tieline('messages', 'find', device, ...options)
  const rows = out.split('\n').flatMap((line) => /^(event-\S+) +(\d+) +(\w+)/.exec(line)?.slice(1).join(' ') ?? [])
  return { code, rows, err }
}

test('a device is found in event files by its NIC, with the call that carried its row, as long as their messages are kept', async () => {
  const [reserved, reported] = [keyOf('event-reservation', reservation), keyOf('event-outcome', outcome)]
  await sendFile(pipeline, 'event-reservation', reservation, reservationOf(20))
  await sendFile(
    pipeline,
    'event-outcome',
    outcome,
    outcomeOf(25, (n) => (n === 17 ? '1315,NIC-17,NEST,ASLEEP' : undefined)),
  )
  await pipeline.until(reserved, 'succeeded')
  await pipeline.until(reported, 'dead')
  const both = [`${reported} 12 confirmed`, `${reserved} 12 confirmed`]
  expect(await find('NIC-12')).toEqual({ code: 0, rows: both, err: '' })
  expect((await find('nic-17')).rows).toEqual([`${reported} 17 left`, `${reserved} 17 confirmed`])
  expect(await find('NIC-26')).toMatchObject({ code: 1, rows: [] })
  expect(await find('NIC-12', '--no-rows')).toMatchObject({ code: 1, rows: [] })
  expect(JSON.parse((await pipeline.tieline('messages', 'find', 'NIC-25', '--json')).out)).toMatchObject([
    { key: reported, deviceRows: [{ row: 25, first: 21, last: 25, state: 'confirmed' }] },
  ])

  // The file of what succeeded goes after a day, what its devices are found by stays.
  await trimExpired(later(25 * hourMs))
  expect(await pipeline.until(reserved, 'succeeded')).toMatchObject({ file: { kept: false } })
  expect(await find('NIC-12')).toEqual({ code: 0, rows: both, err: '' })
  const { out } = await pipeline.tieline('messages', 'rows', reserved, '--device', 'NIC-12')
  expect(out).toMatch(/row +12\n(?:.*\n)*state +confirmed/)

  // With another file under its id only the devices of that one are found.
  await sendFile(pipeline, 'event-outcome', outcome, outcomeOf(5))
  await pipeline.until(reported, 'succeeded')
  expect((await find('NIC-12')).rows).toEqual([`${reserved} 12 confirmed`])
  expect((await stored()).length).toBeGreaterThanOrEqual(2)
  expect((await find('NIC-3')).rows).toEqual([`${reported} 3 confirmed`, `${reserved} 3 confirmed`])

  await trimExpired(later(33 * 24 * hourMs))
  expect(await find('NIC-3')).toMatchObject({ code: 1, rows: [] })
  const { redis, journal } = pipeline
  const pending = await redis.zrange(`${journal.base}:pending`, '0', '-1')
  expect((await stored()).filter((name) => !pending.includes(name))).toEqual([])
})

test('a file is searched itself while nothing is kept yet by which its devices are found', async () => {
  const message = { ...reservation, messageId: 'RSV-OLD' }
  const key = keyOf('event-reservation', message)
  await sendFile(pipeline, 'event-reservation', message, reservationOf(4))
  await pipeline.until(key, 'succeeded')
  await pipeline.redis.hdel(`${pipeline.journal.base}:m:${key}`, 'indexRef')
  expect((await find('NIC-4')).rows).toEqual([`${key} 4 confirmed`])
  await trimExpired(later(25 * hourMs))
  expect(await find('NIC-4')).toMatchObject({
    code: 1,
    err: expect.stringContaining(`1 event files could not be searched for devices: ${key}`),
  })
})
