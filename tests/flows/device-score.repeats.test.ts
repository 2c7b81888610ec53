import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDeviceScore } from '@tieline/device-score/service'
import { startRun } from '@tieline/journal/transfers/runs'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { places, type ScorePlace } from './score-places.ts'
import { fileOf, key, openTransfer, runTransfer, taken, transfer, untilEnded, untilMails } from './scores.ts'

describe.each([
  ['sftp', places.sftp, 4],
  ['bucket', places.bucket, 503],
] as const)('a file that DERMS took and the %s could not rename', (_, startPlace, status) => {
  test('is not sent again: the next run only renames it', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'scores')
    place.faults?.failNext({ status, operation: place.faults.operations.rename, times: 1_000 })
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead' })
    expect(await place.names()).toEqual(['DeviceScore.csv'])
    place.faults?.heal()
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 1 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore.csv', 'scores')])
    expect(await place.names()).toEqual(['Sent-DeviceScore.csv'])
  })

  test('and that somebody replaced since is a new file', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'first')
    place.faults?.failNext({ status, operation: place.faults.operations.rename, times: 1_000 })
    await runTransfer(pipeline)
    place.faults?.heal()
    await place.put('DeviceScore.csv', 'second one')
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 1 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore.csv', 'first'), fileOf('DeviceScore.csv', 'second one')])
  })

  test('is forgotten when somebody took it away: the same file is new when it comes again', async () => {
    await using place: ScorePlace = await startPlace()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'scores')
    place.faults?.failNext({ status, operation: place.faults.operations.rename, times: 1_000 })
    expect((await runTransfer(pipeline)).effects).toHaveLength(1)
    place.faults?.heal()
    const properties = await pipeline.tieline(
      ...'lookups set ConfigProps dacs.dvcScore.extract.filename.prefix Another --reason test'.split(' '),
    )
    expect(properties).toMatchObject({ code: 0, err: '' })
    expect((await runTransfer(pipeline)).effects).toEqual([])
  })
})

describe('a file that is still being written', () => {
  test('is sent when it holds still, whole, after those that do', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tieline-written-'))
    await using cleanup = new AsyncDisposableStack()
    cleanup.defer(() => rm(directory, { recursive: true }))
    await using pipeline = await openTransfer({ connection: { kind: 'directory', path: directory }, properties: '' })
    await writeFile(join(directory, 'DeviceScore_1.csv'), '')
    await writeFile(join(directory, 'DeviceScore_2.csv'), 'two')
    let written = ''
    const writing = setInterval(() => {
      written += 'line\n'
      void appendFile(join(directory, 'DeviceScore_1.csv'), 'line\n')
    }, 10)
    cleanup.defer(() => clearInterval(writing))
    const running = runTransfer(pipeline)
    await eventually(() => pipeline.derms.scoreFiles.some(({ name }) => name === 'DeviceScore_2.csv'))
    clearInterval(writing)
    expect(await running).toMatchObject({ state: 'succeeded', files: { sent: 2, failed: 0, left: 0 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_2.csv', 'two'), fileOf('DeviceScore_1.csv', written)])
  })

  test('for too long is left for the next run, which is no failure', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tieline-written-'))
    await using cleanup = new AsyncDisposableStack()
    cleanup.defer(() => rm(directory, { recursive: true }))
    const place = { connection: { kind: 'directory', path: directory }, properties: '' }
    await using pipeline = await openTransfer(place, { tuning: { steadyWithinMs: 300 } })
    await writeFile(join(directory, 'DeviceScore.csv'), '')
    const writing = setInterval(() => void appendFile(join(directory, 'DeviceScore.csv'), 'line\n'), 10)
    cleanup.defer(() => clearInterval(writing))
    expect(await runTransfer(pipeline)).toMatchObject({ state: 'succeeded', files: { sent: 0, failed: 0, left: 1 } })
    expect(taken(pipeline)).toEqual([])
    await untilMails(pipeline, 1)
    expect(pipeline.mailbox.mails[0]?.text).toContain('Left for the next run (1):\n  - DeviceScore.csv\n')
  })
})

describe('a file with the error prefix', () => {
  const refusedOnce = async () => {
    const parts = new AsyncDisposableStack()
    const place = parts.use(await places.directory())
    const pipeline = parts.use(await openTransfer(place))
    await place.put('DeviceScore_1.csv', 'one')
    pipeline.derms.failNext({ status: 400, operation: 'deviceScore' })
    await runTransfer(pipeline)
    await place.put('DeviceScore_2.csv', 'two')
    return { place, pipeline, [Symbol.asyncDispose]: () => parts.disposeAsync() }
  }

  test.each(['DeviceScore_1.csv', 'Error-DeviceScore_1.csv'])('is sent again by itself, called %s', async (name) => {
    await using world = await refusedOnce()
    const { place, pipeline } = world
    const told = await pipeline.tieline('schedules', 'retry-file', 'nightly', name, '--reason', 'DERMS is mended')
    expect(told).toEqual({ code: 0, err: '', out: `A run of nightly starts: messages show ${key}\n` })
    expect(await untilEnded(pipeline, 2)).toMatchObject({ state: 'succeeded', files: { sent: 1, failed: 0, left: 0 } })
    expect(taken(pipeline)).toEqual([fileOf('DeviceScore_1.csv', 'one')])
    expect(await place.names()).toEqual(['DeviceScore_2.csv', 'Sent-DeviceScore_1.csv'])
    expect((await pipeline.tieline('audit', 'list')).out).toContain('DERMS is mended')
  })

  test('is not touched by the runs that follow', async () => {
    await using world = await refusedOnce()
    await runTransfer(world.pipeline)
    expect(await world.place.names()).toEqual(['Error-DeviceScore_1.csv', 'Sent-DeviceScore_2.csv'])
  })

  test('that is not there is said to be missing', async () => {
    await using world = await refusedOnce()
    expect(await runTransfer(world.pipeline, 'DeviceScore_9.csv')).toMatchObject({
      state: 'dead',
      code: 'file-missing',
    })
  })

  test('stays when a file of its own name has come since', async () => {
    await using world = await refusedOnce()
    await world.place.put('DeviceScore_1.csv', 'newer')
    expect(await runTransfer(world.pipeline, 'DeviceScore_1.csv')).toMatchObject({
      state: 'dead',
      code: 'file-missing',
    })
    expect(await world.place.read('Error-DeviceScore_1.csv')).toBe('one')
    expect(await world.place.read('DeviceScore_1.csv')).toBe('newer')
  })

  test('cannot be retried while a run is going on, and the command line says so', async () => {
    await using world = await refusedOnce()
    const { pipeline } = world
    pipeline.derms.stallNext({ ms: 1_000, operation: 'deviceScore' })
    await startRun(pipeline.journal, { transfer, who: 'test' })
    const told = await pipeline.tieline('schedules', 'retry-file', 'nightly', 'DeviceScore_1.csv', '--reason', 'now')
    expect(told.code).toBe(1)
    expect(told.err).toMatch(/^A run of nightly has been going on for \d+ s: nothing was started/)
  })
})

test('a run that was stopped with its service goes on in the next one, without sending a file twice', async () => {
  await using place: ScorePlace = await places.directory()
  await using pipeline = await openTransfer(place, { services: ['notifier'] })
  for (const n of [1, 2, 3, 4, 5]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
  const start = () => startDeviceScore(pipeline.settings, { lookAgainMs: 20, sweepEveryMs: 200, lockMs: 1_000 })
  pipeline.derms.latency({ ms: 100, operation: 'deviceScore' })
  const first = await start()
  await startRun(pipeline.journal, { transfer, who: 'test' })
  await eventually(() => pipeline.derms.count('deviceScore') >= 2)
  await first[Symbol.asyncDispose]()
  await using second = await start()
  expect(second).toBeDefined()
  expect(await untilEnded(pipeline, 1)).toMatchObject({ state: 'succeeded', files: { sent: 5, failed: 0, left: 0 } })
  expect(taken(pipeline)).toEqual([1, 2, 3, 4, 5].map((n) => fileOf(`DeviceScore_${n}.csv`, `${n}`)))
})
