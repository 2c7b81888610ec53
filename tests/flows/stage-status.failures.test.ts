import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import {
  acknowledged,
  calls,
  creation,
  expectNoMail,
  keyOf,
  mailed,
  openPipeline,
  scheduled,
  send,
  withoutRetries,
} from './stages.ts'

describe.concurrent('refusals and failures of DACS', () => {
  test('400: ERROR in the words of DACS, one call, one e-mail without those words', async () => {
    await using pipeline = await openPipeline()
    const message = { ...scheduled, programCode: 'EV-WINTER' }
    const words = 'Program is not valid: Program EV-WINTER is not valid'
    expect(await send(pipeline, message)).toEqual(acknowledged('ERROR', message, words))
    expect(calls(pipeline)).toMatchObject([{ operation: 'createProgramEvent', answered: 400 }])
    expect(await pipeline.until(keyOf(message), 'refused')).toMatchObject({
      outcome: 'ERROR',
      code: 'target-refused',
      attempts: 1,
      effects: [{ id: 'create', state: 'refused', status: 400 }],
    })
    const mail = await mailed(pipeline, 'target-refused', message)
    const { name } = pipeline.settings.installation.installation
    expect(mail).toMatchObject({
      from: 'tieline@utility.example',
      to: ['ops@utility.example', 'oncall@utility.example'],
      subject: `[Tieline ${name}/test] F7 Program event (stage) status: target-refused STG-1315-1`,
    })
    for (const fact of ['DACS_MAIN', 'HTTP status: 400', 'Attempts: 1', keyOf(message), 'DERMS is told ERROR']) {
      expect(mail.text).toContain(fact)
    }
    expect(mail.text + mail.html).not.toContain('EV-WINTER')
    expect(pipeline.mailbox.mails).toHaveLength(1)
  })

  test('503 for a while: tried again until it is taken, nobody is troubled', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.failNext({ status: 503, times: 2 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    expect(calls(pipeline).map(({ answered }) => answered)).toEqual([503, 503, 200])
    const seen = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(seen).toMatchObject({ attempts: 3, effects: [{ state: 'confirmed', tries: 3 }] })
    expect(seen.timeline.filter(({ what }) => what === 'retry')).toMatchObject([
      { code: 'target-error', inMs: expect.toSatisfy((ms) => ms >= 700 && ms <= 1_000) },
      { code: 'target-error', inMs: expect.toSatisfy((ms) => ms >= 1_500 && ms <= 2_000) },
    ])
    await expectNoMail(pipeline)
  })

  test('401: told at once; the connection pauses, other messages do not call meanwhile, and all get through after one probe', async () => {
    await using pipeline = await openPipeline({ tuning: { pauseMs: 1_000 } })
    pipeline.dacs.failNext({ status: 401 })
    const first = send(pipeline, scheduled)
    await pipeline.until(keyOf(scheduled), 'retrying')
    const other = { ...scheduled, messageId: 'STG-1316-1', stageId: '1316' }
    const second = send(pipeline, other)
    const paused = await pipeline.until(keyOf(other), 'retrying')
    expect(paused).toMatchObject({
      code: 'connection-paused',
      effects: [{ state: 'failed', code: 'connection-paused' }],
    })
    expect(calls(pipeline).map(({ answered }) => answered)).toEqual([401])

    expect(await first).toEqual(acknowledged('SUCCESS', scheduled))
    expect(await second).toEqual(acknowledged('SUCCESS', other))
    expect(calls(pipeline).map(({ answered }) => answered)).toEqual([401, 200, 200])
    await mailed(pipeline, 'target-unauthorized', scheduled)
    expect(pipeline.mailbox.mails).toHaveLength(1)
  })

  test('at the end of trying: FAILURE, a dead letter with its ticket, and an e-mail', async () => {
    await using pipeline = await openPipeline(withoutRetries)
    pipeline.dacs.failNext({ status: 503 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'Simulated failure'))
    expect(await pipeline.until(keyOf(scheduled), 'dead')).toMatchObject({
      outcome: 'FAILURE',
      code: 'target-error',
      effects: [{ id: 'create', state: 'unknown', status: 503 }],
    })
    const mail = await mailed(pipeline, 'target-error', scheduled)
    expect(mail.text).toContain('HTTP status: 503')
    expect(mail.text).toContain('DERMS is told FAILURE')
    const queue = pipeline.journal.queues.all.find(({ name }) => name === 'stage-status')
    const failed = await eventually(async () => (await queue?.getFailed())?.[0])
    expect(failed).toMatchObject({ data: { key: keyOf(scheduled) }, failedReason: 'target-error' })
  })

  test.each([
    ['nothing listens', 'target-unreachable', 'failed'],
    ['the answer does not come in time', 'target-timeout', 'unknown'],
  ])('%s: FAILURE, and whether it was applied is told truly', async (what, code, state) => {
    const connection = what === 'nothing listens' ? { baseUrl: 'http://127.0.0.1:9/rest/apis' } : { timeoutMs: 150 }
    await using pipeline = await openPipeline({ ...withoutRetries, connection })
    pipeline.dacs.latency({ ms: 1_000 })
    const value = expect.stringMatching(
      /^DACS_MAIN: createProgramEvent got no (connection \(ECONNREFUSED\)|answer in time)$/,
    )
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, value))
    expect(await pipeline.until(keyOf(scheduled), 'dead')).toMatchObject({ code, effects: [{ state, code }] })
    await mailed(pipeline, code, scheduled)
  })
})

describe.concurrent('outcomes that nobody can know', () => {
  test('a creation that was applied without an answer is journaled as unknown, repeated, and creates one event', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.applyThenDrop()
    const told = send(pipeline, scheduled)
    expect(await pipeline.until(keyOf(scheduled), 'retrying')).toMatchObject({
      code: 'target-reset',
      effects: [{ id: 'create', state: 'unknown', code: 'target-reset' }],
    })
    expect(await told).toEqual(acknowledged('SUCCESS', scheduled))
    expect(calls(pipeline).map(({ answered, body }) => ({ answered, body }))).toEqual([
      { answered: 'dropped', body: creation },
      { answered: 200, body: creation },
    ])
    expect(pipeline.dacs.programEvents.get('1315')?.history).toEqual(['X1SD'])
    const { effects, timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(effects).toMatchObject([{ state: 'confirmed', tries: 2 }])
    expect(timeline.filter(({ what }) => what === 'called').map(({ state }) => state)).toEqual(['unknown', 'confirmed'])
    await expectNoMail(pipeline)
  })

  test('a call that surely was not applied is no unknown one, and a later refusal is a refusal', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.failNext({ status: 404 })
    pipeline.dacs.failNext({ status: 400 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('ERROR', scheduled, 'Simulated failure'))
    const { timeline } = await pipeline.until(keyOf(scheduled), 'refused')
    expect(timeline.filter(({ what }) => what === 'called').map(({ state }) => state)).toEqual(['failed', 'refused'])
  })

  test('a refusal after an unknown call proves nothing: FAILURE, never ERROR', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.applyThenDrop()
    pipeline.dacs.failNext({ status: 400 })
    const value =
      'createProgramEvent at DACS_MAIN: refused a repeat, the outcome of an earlier call is unknown: Simulated failure'
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, value))
    expect(await pipeline.until(keyOf(scheduled), 'dead')).toMatchObject({
      outcome: 'FAILURE',
      code: 'outcome-unknown',
      effects: [{ id: 'create', state: 'unknown', tries: 2, status: 400 }],
    })
    expect((await mailed(pipeline, 'outcome-unknown', scheduled)).text).toContain('Look at the target')
  })
})
