import { readFile, writeFile } from 'node:fs/promises'
import { startDeviceScore } from '@tieline/device-score/service'
import { listMessages, showMessage } from '@tieline/journal/operations'
import { listSchedules } from '@tieline/journal/transfers/schedules'
import { eventually } from '@tieline/testkit/eventually'
import type { Pipeline } from '@tieline/testkit/pipeline'
import { describe, expect, test } from 'vitest'
import { places, type ScorePlace } from './score-places.ts'
import { deviceScore, key, openTransfer, runTransfer, taken } from './scores.ts'

const everySecond = { deviceScore: [{ ...deviceScore[0], schedule: '* * * * * *' }] }
const never = deviceScore[0]?.schedule ?? ''

const runs = async ({ journal }: Pipeline) => (await showMessage(journal, key))?.generation ?? 0

/** Lets the pipeline's services see another schedule. */
async function reschedule({ settings: { environment } }: Pipeline, from: string, to: string): Promise<void> {
  const file = await readFile(environment.configFile, 'utf8')
  await writeFile(environment.configFile, file.replace(from, to))
}

describe('a schedule', () => {
  test('starts a run at each of its times, and shows when the next one is and how the last one ended', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { sections: everySecond })
    await place.put('DeviceScore.csv', 'scores')
    await eventually(() => taken(pipeline).length === 1)
    const before = await runs(pipeline)
    await eventually(async () => (await runs(pipeline)) >= before + 2)
    const [status] = await listSchedules(pipeline.journal, pipeline.settings.installation.deviceScore)
    expect(status).toMatchObject({ name: 'nightly', state: 'scheduled', lastRun: { key } })
    expect(status?.nextAt).toBeGreaterThan(Date.now() - 5_000)
    const { out } = await pipeline.tieline('schedules', 'list')
    expect(out).toMatch(/nightly\s+DACS_FILES\s+DERMS_SITE1\s+\* \* \* \* \* \* America\/Los_Angeles\s+scheduled/)
  })

  test('with two workers never has two runs at a time, and takes no file twice', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { sections: everySecond })
    await using other = await startDeviceScore(pipeline.settings, { lookAgainMs: 20, sweepEveryMs: 500 })
    expect(other).toBeDefined()
    // Longer than the time between two runs.
    pipeline.derms.latency({ operation: 'deviceScore', ms: 700 })
    for (const n of [1, 2, 3, 4]) await place.put(`DeviceScore_${n}.csv`, `${n}`)
    await eventually(() => pipeline.derms.scoreFiles.length >= 4 && pipeline.derms.received.every(hasEnded), 30_000)
    const ended = await runs(pipeline)
    await eventually(async () => (await runs(pipeline)) > ended)
    expect(
      taken(pipeline)
        .map(([name]) => name)
        .sort(),
    ).toEqual([1, 2, 3, 4].map((n) => `DeviceScore_${n}.csv`))
    const calls = pipeline.derms.received.filter(({ operation }) => operation === 'deviceScore')
    // Each call lasts 700 ms: two at a time would have begun within that.
    for (const [i, { at }] of calls.entries()) expect(at - (calls[i - 1]?.at ?? 0)).toBeGreaterThan(600)
  })

  test('that changes in the installation file takes effect without a restart', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place)
    await place.put('DeviceScore.csv', 'scores')
    expect(await runs(pipeline)).toBe(0)
    await reschedule(pipeline, never, '"* * * * * *"')
    await eventually(() => taken(pipeline).length === 1)
    await reschedule(pipeline, '"* * * * * *"', never)
    await eventually(async () => {
      const [scheduler] = await pipeline.journal.queues.schedules.list()
      return scheduler?.pattern === never
    })
  })

  test('in a file with faults stays as it was', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { sections: everySecond })
    await reschedule(pipeline, 'deviceScore:', 'deviceScoreX:')
    const before = await runs(pipeline)
    await eventually(async () => (await runs(pipeline)) >= before + 2)
  })

  test('that is paused starts nothing until it is resumed; a run can be started by hand all the same', async () => {
    await using place: ScorePlace = await places.directory()
    await using pipeline = await openTransfer(place, { sections: everySecond })
    await eventually(async () => (await runs(pipeline)) >= 1)
    const paused = await pipeline.tieline('schedules', 'pause', 'nightly', '--reason', 'DACS is upgraded')
    expect(paused).toEqual({ code: 0, err: '', out: 'nightly is paused.\n' })
    expect((await pipeline.tieline('schedules', 'list')).out).toMatch(/paused by \S+: DACS is upgraded/)
    expect(await pipeline.journal.queues.schedules.list()).toEqual([])
    // A restart leaves it paused.
    await using other = await startDeviceScore(pipeline.settings, { lookAgainMs: 20 })
    expect(other).toBeDefined()
    expect(await pipeline.journal.queues.schedules.list()).toEqual([])
    await eventually(
      async () => (await listMessages(pipeline.journal, { flow: 'device-score', state: 'succeeded' })).length === 1,
    )
    const before = await runs(pipeline)
    expect((await pipeline.tieline('schedules', 'run', 'nightly', '--reason', 'now')).code).toBe(0)
    await eventually(async () => (await runs(pipeline)) === before + 1)
    expect((await pipeline.tieline('schedules', 'resume', 'nightly', '--reason', 'done')).out).toMatch(
      /^nightly runs next at/,
    )
    await eventually(async () => (await runs(pipeline)) >= before + 3)
    const audit = await pipeline.tieline('audit', 'list')
    for (const why of ['DACS is upgraded', 'now', 'done']) expect(audit.out).toContain(why)
  })
})

test.each([
  [['schedules', 'run', 'weekly', '--reason', 'x'], 'The installation file has no transfer weekly; there are: nightly'],
  [
    ['schedules', 'pause', 'weekly', '--reason', 'x'],
    'The installation file has no transfer weekly; there are: nightly',
  ],
  [['schedules', 'run', 'nightly'], '--reason is required'],
  [['schedules', 'retry-file', 'nightly', '--reason', 'x'], 'Something is missing'],
] as const)('%j is refused with a sentence', async (args, sentence) => {
  await using place: ScorePlace = await places.directory()
  await using pipeline = await openTransfer(place, { services: [] })
  const { code, err } = await pipeline.tieline(...args)
  expect(code).toBeGreaterThan(0)
  expect(err).toContain(sentence)
})

test('a transfer that left the installation file fails saying so, and its schedule goes', async () => {
  await using place: ScorePlace = await places.directory()
  await using pipeline = await openTransfer(place)
  await reschedule(pipeline, 'name: nightly', 'name: weekly')
  await eventually(async () => {
    const [scheduler] = await pipeline.journal.queues.schedules.list()
    return scheduler?.name === 'weekly'
  })
  expect(await runTransfer(pipeline)).toMatchObject({ state: 'dead', code: 'transfer-unusable' })
})

const hasEnded = ({ answered }: { answered: unknown }) => answered !== 'pending'
