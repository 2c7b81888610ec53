import { describe, expect, test } from 'vitest'
import { openRun } from './harness.ts'

describe('a worker that dies', () => {
  test('after the call: the next attempt only renames', async () => {
    await using run = await openRun()
    await run.put('DeviceScore.csv', 'scores')
    await expect(run.process({}, { record: died })).rejects.toThrow('died')
    expect(run.taken).toHaveLength(1)
    expect(await run.names()).toEqual(['DeviceScore.csv'])
    expect(await run.process()).toMatchObject({ state: 'succeeded', files: { sent: 1, failed: 0, left: 0 } })
    expect(run.taken).toHaveLength(1)
    expect(await run.names()).toEqual(['Sent-DeviceScore.csv'])
  })

  test('after the rename: the next attempt knows of the file, and lists it', async () => {
    await using run = await openRun()
    await run.put('DeviceScore.csv', 'scores')
    let records = 0
    const recordOnce = async (field: string, value: unknown) => {
      records += 1
      if (records > 1) return died()
      run.records.set(field, value)
    }
    await expect(run.process({}, { record: recordOnce })).rejects.toThrow('died')
    expect(await run.names()).toEqual(['Sent-DeviceScore.csv'])
    const end = await run.process()
    expect(end).toMatchObject({ state: 'succeeded', files: { sent: 1, failed: 0, left: 0 } })
    expect(end.notices?.[0]?.files?.sent).toEqual(['DeviceScore.csv'])
    expect(run.taken).toHaveLength(1)
    expect(run.effects.size).toBe(0)
  })

  test('at the end of a retry of one file: it is not said to be missing', async () => {
    await using run = await openRun('DeviceScore.csv')
    await run.put('Error-DeviceScore.csv', 'scores')
    await run.process()
    expect(await run.names()).toEqual(['Sent-DeviceScore.csv'])
    // The settlement was lost.
    expect(await run.process()).toMatchObject({ state: 'succeeded', files: { sent: 1, failed: 0, left: 0 } })
    expect(run.taken).toHaveLength(1)
  })

  test('after a refusal was noted: the file gets its prefix, and its e-mail comes once', async () => {
    await using run = await openRun()
    await run.put('DeviceScore.csv', 'scores')
    run.state.refuses = true
    await run.process()
    expect(await run.names()).toEqual(['Error-DeviceScore.csv'])
    expect(run.notices.map(({ code }) => code)).toEqual(['target-refused'])
    expect(await run.process()).toMatchObject({ state: 'refused', files: { sent: 0, failed: 1, left: 0 } })
    expect(run.notices).toHaveLength(1)
  })
})

test('the e-mail about a file says how to send it again, and no name can be run by a shell', async () => {
  await using run = await openRun()
  run.state.refuses = true
  await run.put("DeviceScore $(x) `y` 'z'.csv", 'scores')
  await run.process()
  const name = String.raw`'DeviceScore $(x) \`y\` '\''z'\''.csv'`.replaceAll('\\`', '`')
  expect(run.notices[0]?.next).toContain(`tieline schedules retry-file nightly ${name} --reason '…'`)
})

const died = async (): Promise<void> => {
  throw new Error('died')
}
