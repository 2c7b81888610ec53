import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { places, type ScorePlace } from './score-places.ts'
import { fileOf, key, openTransfer, runTransfer, subjects, taken, untilMails } from './scores.ts'

describe.each(Object.entries(places))('a transfer from a %s', (_, startPlace) => {
  test('sends each file under its name, byte by byte, and gives it the prefix of sent files', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore_2.csv', 'two')
    await place.put('DeviceScore_1.csv', 'one')
    await place.put('Other.csv', 'not ours')
    const run = await runTransfer(pipeline)
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_1.csv', 'one'), fileOf('DeviceScore_2.csv', 'two')])
    expect(await place.names()).toEqual(['Other.csv', 'Sent-DeviceScore_1.csv', 'Sent-DeviceScore_2.csv'])
    expect(run).toMatchObject({ state: 'succeeded', files: { sent: 2, failed: 0, left: 0 }, effects: [] })
    expect(await untilMails(pipeline, 1)).toEqual(['completed nightly'])
    const [mail] = pipeline.mailbox.mails
    expect(mail?.to).toEqual(['business@utility.example'])
    expect(mail?.text).toContain('Sent (2):\n  - DeviceScore_1.csv, now Sent-DeviceScore_1.csv\n')
  })

  test('goes on after a file that DERMS does not take, says so, and lists both kinds in the end', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    for (const n of [1, 2, 3]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
    pipeline.derms.failNext({ status: 400, containing: 'DeviceScore_1' })
    pipeline.derms.failNext({ status: 500, containing: 'DeviceScore_2', times: 2 })
    const run = await runTransfer(pipeline)
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_3.csv', '3')])
    expect(await place.names()).toEqual([
      'Error-DeviceScore_1.csv',
      'Error-DeviceScore_2.csv',
      'Sent-DeviceScore_3.csv',
    ])
    expect(run).toMatchObject({
      state: 'refused',
      outcome: 'ERROR',
      code: 'files-not-transferred',
      files: { sent: 1, failed: 2, left: 0 },
    })
    // A refusal is not repeated, anything else is, once.
    expect(pipeline.derms.count('deviceScore')).toBe(4)
    expect(await untilMails(pipeline, 3)).toEqual([
      'files-not-transferred nightly',
      'target-error nightly',
      'target-refused nightly',
    ])
    const summary = pipeline.mailbox.mails.find(({ subject }) => subject.includes('files-not'))
    expect(summary?.text).toContain('Sent (1):\n  - DeviceScore_3.csv')
    expect(summary?.text).toContain('Not transferred (2):\n  - DeviceScore_1.csv: target-refused')
  })

  test('takes names that no URL takes as they are', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    const names = [
      'DeviceScore 50%.csv',
      'DeviceScore "x".csv',
      "DeviceScore 'y'.csv",
      'DeviceScore_é ü 漢.csv',
      'DeviceScore#?&=+.csv',
    ]
    for (const name of names) await place.put(name, name)
    await runTransfer(pipeline)
    expect(taken(pipeline).sort()).toEqual(names.map((name) => fileOf(name, name)).sort())
    expect(await place.names()).toEqual(names.map((name) => `Sent-${name}`).sort())
  })

  test('never overwrites: a name that is there already gets the time of the run', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'first night')
    await runTransfer(pipeline)
    await place.put('DeviceScore.csv', 'second night')
    await runTransfer(pipeline)
    expect(taken(pipeline)).toEqual([
      fileOf('DeviceScore.csv', 'first night'),
      fileOf('DeviceScore.csv', 'second night'),
    ])
    const names = await place.names()
    expect(names).toEqual([expect.stringMatching(/^Sent-DeviceScore-\d{8}T\d{6}Z\.csv$/), 'Sent-DeviceScore.csv'])
    expect(await place.read('Sent-DeviceScore.csv')).toBe('first night')
  })

  test('tells the business users when there was nothing', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    const run = await runTransfer(pipeline)
    expect(run).toMatchObject({ state: 'succeeded', files: { sent: 0, failed: 0, left: 0 } })
    expect(await untilMails(pipeline, 1)).toEqual(['no-file nightly'])
    expect(pipeline.mailbox.mails[0]?.to).toEqual(['business@utility.example'])
  })

  test('sends an empty file too', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', '')
    await runTransfer(pipeline)
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore.csv', '')])
    expect(await place.names()).toEqual(['Sent-DeviceScore.csv'])
  })
})

describe.each([
  ['sftp', places.sftp],
  ['bucket', places.bucket],
] as const)('a transfer that loses its %s in the middle of a file', (_, startPlace) => {
  test('sends it from its beginning when the place is back, and DERMS never took the half', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    const content = 'x'.repeat(3_000_000)
    await place.put('DeviceScore.csv', content)
    place.faults?.cutAfter(1_000_000)
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', attempts: 2, files: { sent: 1 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore.csv', content)])
    expect(await place.names()).toEqual(['Sent-DeviceScore.csv'])
  })

  test('leaves it whole for the next run when the place stays away, and says what was done before', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    const content = 'x'.repeat(3_000_000)
    await place.put('DeviceScore_1.csv', 'one')
    pipeline.derms.stallNext({ ms: 300, operation: 'deviceScore', containing: 'DeviceScore_1' })
    await place.put('DeviceScore_2.csv', content)
    const running = runTransfer(pipeline)
    await eventually(() => pipeline.derms.count('deviceScore') === 1)
    place.faults?.dropBefore({ operation: place.faults.operations.read, times: 1_000 })
    expect(await running).toMatchObject({ state: 'dead', outcome: 'FAILURE', files: { sent: 1 } })
    expect(await place.names()).toEqual(['DeviceScore_2.csv', 'Sent-DeviceScore_1.csv'])
    place.faults?.heal()
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 1, failed: 0, left: 0 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_1.csv', 'one'), fileOf('DeviceScore_2.csv', content)])
  })
})

describe('a transfer whose source cannot be reached', () => {
  test('says so after a second try, and the next run takes the files', async () => {
    await using place = await places.sftp()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'scores')
    place.server.refuseConnections(true)
    const run = await runTransfer(pipeline)
    expect(run).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: 'target-unreachable', attempts: 2 })
    expect(await untilMails(pipeline, 1)).toEqual(['DACS_FILES is down: F8 target-unreachable nightly'])
    expect(pipeline.mailbox.mails[0]?.text).toContain('Connection: DACS_FILES\n')
    place.server.refuseConnections(false)
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 1 } })
    expect(await place.names()).toEqual(['Sent-DeviceScore.csv'])
  })

  test('because its host key is another one refuses to log in, and says which key it saw', async () => {
    await using place = await places.sftp()
    const other = `SHA256:${'A'.repeat(43)}`
    await using pipeline = await openTransfer({ ...place, connection: { ...place.connection, hostKey: other } })
    await place.put('DeviceScore.csv', 'scores')
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', code: 'host-key-mismatch', attempts: 1 })
    expect(place.server.logins).toEqual([])
    await untilMails(pipeline, 1)
    expect(pipeline.mailbox.mails[0]?.text).toContain(place.server.hostKey)
  })

  test.each([
    ['sftp', 'dacs.dvcScore.ftp.input.directory'],
    ['bucket', 'dacs.os.namespace'],
  ] as const)('because ConfigProps does not say where: %s names %s', async (kind, property) => {
    await using place: ScorePlace = await places[kind]()
    await using pipeline = await openTransfer({ ...place, properties: '' })
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', code: 'lookup-missing' })
    await untilMails(pipeline, 1)
    expect(pipeline.mailbox.mails[0]?.text).toContain(property)
  })
})

describe('a transfer whose target is down', () => {
  test('gives up after three files in a row, and leaves the others as they are for the next run', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place)
    for (const n of [1, 2, 3, 4, 5]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
    pipeline.derms.dropBefore({ operation: 'deviceScore', times: 6 })
    const run = await runTransfer(pipeline)
    expect(run).toMatchObject({ state: 'dead', code: 'target-reset', files: { sent: 0, failed: 3, left: 2 } })
    expect(pipeline.derms.count('deviceScore')).toBe(6)
    expect(await place.names()).toEqual([
      'DeviceScore_4.csv',
      'DeviceScore_5.csv',
      'Error-DeviceScore_1.csv',
      'Error-DeviceScore_2.csv',
      'Error-DeviceScore_3.csv',
    ])
    await untilMails(pipeline, 5)
    const summary = pipeline.mailbox.mails.find(({ to }) => to.includes('business@utility.example'))
    expect(summary?.text).toContain('Left for the next run (2):\n  - DeviceScore_4.csv\n  - DeviceScore_5.csv\n')
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 2, failed: 0, left: 0 } })
  })

  test('because it does not know us touches only the file that found out', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { tuning: { pauseMs: 60_000 } })
    for (const n of [1, 2, 3]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
    pipeline.derms.failNext({ status: 401, operation: 'deviceScore', times: 10 })
    const run = await runTransfer(pipeline)
    expect(run).toMatchObject({ state: 'dead', code: 'connection-paused', files: { failed: 1, left: 2 } })
    expect(pipeline.derms.count('deviceScore')).toBe(1)
    expect(await place.names()).toEqual(['DeviceScore_2.csv', 'DeviceScore_3.csv', 'Error-DeviceScore_1.csv'])
  })

  test('waits for an answer that takes its time: 202 counts as 200 does', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { connection: { timeoutMs: 500 } })
    await place.put('DeviceScore.csv', 'scores')
    pipeline.derms.failNext({ status: 202, operation: 'deviceScore', apply: true })
    pipeline.derms.latency({ operation: 'deviceScore', ms: 1_500 })
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 1 } })
    expect(pipeline.derms.count('deviceScore')).toBe(1)
  })
})

test('250 files are all found, page by page, and each is sent once', async () => {
  await using place: ScorePlace = await places.bucket({ pageObjectsMax: 100 })
  await using pipeline = await openTransfer(place)
  const names = Array.from({ length: 250 }, (_, i) => `DeviceScore_${String(i).padStart(4, '0')}.csv`)
  for (const name of names) await place.put(name, name)
  expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 250, failed: 0, left: 0 } })
  expect(taken(pipeline)).toEqual(names.map((name) => fileOf(name, name)))
  expect(await place.names()).toEqual(names.map((name) => `Sent-${name}`))
  await untilMails(pipeline, 1)
  const text = pipeline.mailbox.mails[0]?.text
  expect(text).toContain('Sent (250):')
  expect(text).toContain('and 150 more')
})

test.each([
  'DeviceScore/../x.csv',
  'DeviceScore/x.csv',
  'DeviceScore..csv',
  'DeviceScore\\x.csv',
  'DeviceScore\u0007.csv',
  `DeviceScore${'x'.repeat(240)}`,
])('an object named %j is left alone and told of, and the others go on', async (name) => {
  await using place: ScorePlace = await places.bucket()
  await using pipeline = await openTransfer(place)
  await place.put(name, 'odd')
  await place.put('DeviceScore_z.csv', 'fine')
  expect(await runTransfer(pipeline)).toMatchObject({ state: 'refused', files: { sent: 1, failed: 1, left: 0 } })
  expect(taken(pipeline)).toEqual([fileOf('DeviceScore_z.csv', 'fine')])
  expect(await place.names()).toEqual([name, 'Sent-DeviceScore_z.csv'].sort())
  expect(await untilMails(pipeline, 2)).toEqual(['file-name-refused nightly', 'files-not-transferred nightly'])
  expect(subjects(pipeline).join()).not.toMatch(/\p{Cc}/u)
})

test('a link out of the directory is left alone and told of at every run, and the others go on', async () => {
  await using elsewhere = await places.directory()
  await elsewhere.put('secret', 'secret')
  await using place = await places.directory()
  await using pipeline = await openTransfer(place)
  const at = ({ connection }: ScorePlace, name: string) => join(String(Reflect.get(connection, 'path')), name)
  await symlink(at(elsewhere, 'secret'), at(place, 'DeviceScore_a.csv'))
  await place.put('DeviceScore_z.csv', 'fine')
  for (const sent of [1, 0]) {
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'refused', files: { sent, failed: 1, left: 0 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_z.csv', 'fine')])
    expect(await place.names()).toEqual(['DeviceScore_a.csv', 'Sent-DeviceScore_z.csv'])
  }
  expect((await untilMails(pipeline, 4)).filter((subject) => subject.startsWith('file-name-refused'))).toHaveLength(2)
})

test('what a run was about can be found by the names of its files', async () => {
  await using place: ScorePlace = await places.directory()
  await using pipeline = await openTransfer(place)
  await place.put('DeviceScore_A.csv', 'a')
  await runTransfer(pipeline)
  const found = await pipeline.tieline('messages', 'find', 'devicescore_a.csv')
  expect(found.out).toContain(key)
  const shown = await pipeline.tieline('messages', 'show', key)
  expect(shown.out).toContain('1 sent, 0 not transferred, 0 left')
})

describe('a connection test', () => {
  test.each(Object.entries(places))('lists the files of a %s, and touches none', async (_, startPlace) => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place, { services: [] })
    await place.put('DeviceScore.csv', 'scores')
    expect(await pipeline.tieline('connections', 'test', 'DACS_FILES')).toEqual({
      code: 0,
      err: '',
      out: 'DACS_FILES: can be listed; 1 file beginning with DeviceScore.\n',
    })
    expect(await place.names()).toEqual(['DeviceScore.csv'])
  })

  test('says what is wrong with the source of a transfer, and what to do', async () => {
    await using place = await places.sftp()
    await using pipeline = await openTransfer({ ...place, properties: '' }, { services: [] })
    const { code, out } = await pipeline.tieline('connections', 'test', 'DACS_FILES')
    expect(code).toBe(1)
    expect(out).toBe(
      'ConfigProps has no value for dacs.dvcScore.ftp.input.directory; set it with `tieline lookups set ConfigProps`.\n',
    )
  })
})

describe('a source that refuses the login', () => {
  test('is asked once, then held back for a while, and tried again when the connection was mended', async () => {
    await using place = await places.sftp()
    const wrong = { ...place.connection, password: 'expired' }
    await using pipeline = await openTransfer({ ...place, connection: wrong }, { tuning: { pauseMs: 60_000 } })
    const logins = () => place.server.logins.filter(({ method }) => method === 'password').length
    await place.put('DeviceScore.csv', 'scores')
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', code: 'target-unauthorized', attempts: 1 })
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', code: 'connection-paused' })
    expect(logins()).toBe(1)
    const { configFile } = pipeline.settings.environment
    await writeFile(configFile, (await readFile(configFile, 'utf8')).replace('password: expired', 'password: files'))
    await eventually(async () => (await runTransfer(pipeline)).state === 'succeeded')
    expect(await place.names()).toEqual(['Sent-DeviceScore.csv'])
  })
})

test('a target that stands behind a gateway which answers 503 is down after three files', async () => {
  await using place: ScorePlace = await places.directory()
  await using pipeline = await openTransfer(place)
  for (const n of [1, 2, 3, 4, 5]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
  pipeline.derms.failNext({ status: 503, operation: 'deviceScore', times: 100 })
  expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', files: { sent: 0, failed: 3, left: 2 } })
})
