import { eventually } from '@tieline/testkit/eventually'
import { expect, test } from 'vitest'
import { keyOf, openPipeline, scheduled, send } from './stages.ts'

test('DACS answers 401, then 503 for ever: two e-mails while it is still tried, the time line says so, with the words of DACS if wanted', async () => {
  await using pipeline = await openPipeline({
    sections: { flows: { 'stage-status': { alarmAfterS: 1, replyWithinS: 1 } } },
    mail: { details: true },
    tuning: { pauseMs: 50 },
  })
  const { dacs, mailbox } = pipeline
  dacs.failNext({ status: 401, body: { error: 'invalid_client', error_description: 'The account of Reyes is locked' } })
  dacs.failNext({ status: 503, body: '<html><title>Maintenance until six</title></html>', times: 1_000 })
  const { body } = await send(pipeline, scheduled)
  expect(JSON.stringify(body)).toContain('IN_PROGRESS')

  const [denied, failing] = await eventually(() => mailbox.mails.length >= 2 && mailbox.mails)
  const { name } = pipeline.settings.installation.installation
  expect(denied?.subject).toBe(`[Tieline ${name}/test] DACS_MAIN refuses our login: F7 target-unauthorized STG-1315-1`)
  expect(denied?.text).toContain('\nHTTP status: 401\nIt said: The account of Reyes is locked\n')
  expect(denied?.text).toMatch(/\nTried again: .*\nTried until: /)
  expect(failing?.subject).toBe(`[Tieline ${name}/test] DACS_MAIN is down: F7 still-failing STG-1315-1`)
  expect(failing?.text).toContain('\nHTTP status: 503\nIt said: Maintenance until six\n')
  expect(failing?.text).toContain('\nCode: still-failing, target-error\n')

  const { timeline } = await pipeline.until(keyOf(scheduled), 'retrying')
  const told = timeline.filter(({ what }) => what === 'notified')
  expect(told.map(({ code }) => code)).toEqual(['target-unauthorized', 'still-failing'])
})
