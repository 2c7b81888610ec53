import type { Notice } from '@tieline/contracts/notice'
import type { Processor } from '@tieline/journal/types'
import { CallError } from '@tieline/runtime/error'
import { eventually } from '@tieline/testkit/eventually'
import { errorNotice } from '@tieline/worker-service/endings'
import { expect, test } from 'vitest'
import { openNotifier } from './harness.ts'
import { sampleNotice } from './notice.ts'

const minuteMs = 60_000
const startMs = Date.parse('2026-03-01T02:00:02Z')

const emailId =
  'From,tieline@utility.example\nTo,admin@utility.example\nto.process.notification,business@utility.example'

/** A notifier whose time stands still but for `pass`, before sender and two lists of recipients. */
async function openDigests(options: { digestMinutes?: number } = {}) {
  let now = startMs
  const clock = () => now
  const notifier = await openNotifier({ emailId, clock, ...options })
  const { name } = notifier.installation.installation
  return {
    ...notifier,
    clock,
    pass: (ms: number) => {
      now += ms
    },
    /** Subjects without the part that all have in common. */
    subjects: () => notifier.mailbox.mails.map(({ subject }) => subject.replace(`[Tieline ${name}/test] `, '')),
    /** Once there are so many mails. */
    mailed: (count: number) => eventually(() => notifier.mailbox.mails.length >= count && notifier.mailbox.mails),
    [Symbol.asyncDispose]: () => notifier[Symbol.asyncDispose](),
  }
}

/** A stage status whose target does as told; when it fails, the message dies and somebody is told. */
function stageStatus(target: { down: boolean }, clock: () => number): Processor<{ version: number }> {
  return {
    flow: 'stage-status',
    async process(attempt) {
      const dacs = {
        name: 'DACS_MAIN',
        async call() {
          if (target.down) throw unreachable()
          return { status: 200, body: {}, durationMs: 1 }
        },
      }
      await attempt.call('create', dacs, 'createProgramEvent', {})
      return { state: 'succeeded', outcome: 'SUCCESS' }
    },
    giveUp: (attempt, error) => ({
      state: 'dead',
      outcome: 'FAILURE',
      code: error.code,
      notices: [errorNotice({ attempt, error, next: 'DERMS sends it again.', nowMs: clock() })],
    }),
  }
}

const unreachable = () =>
  new CallError({
    code: 'target-unreachable',
    retry: { kind: 'never' },
    outcome: 'failed',
    connection: 'DACS_MAIN',
    message: 'DACS_MAIN: createProgramEvent got no connection (ECONNREFUSED)',
    durationMs: 1,
  })

test('five hundred failures of one kind are two mails, and one when the connection works again', async () => {
  await using notifier = await openDigests()
  const target = { down: true }
  const post = await notifier.work(stageStatus(target, notifier.clock))
  await post('STG-0')
  await notifier.mailed(1)
  notifier.pass(1_000)
  await Promise.all(Array.from({ length: 499 }, (_, i) => post(`STG-${i + 1}`)))
  await notifier.settled()
  expect(notifier.subjects()).toEqual(['DACS_MAIN is down: F7 target-unreachable STG-0'])

  notifier.pass(15 * minuteMs)
  const digest = (await notifier.mailed(2))[1]
  expect(notifier.subjects()[1]).toBe('DACS_MAIN is still down: 499 more failures')
  expect(digest?.to).toEqual(['admin@utility.example'])
  expect(digest?.text).toMatch(/^DACS_MAIN is still down: 499 more failures since 2026-03-01 02:00:02 UTC\.\n/)
  expect(digest?.text).toContain(
    '\nF7 Program event (stage) status (499):\n  - What happens next: DERMS sends it again.\n',
  )
  expect(digest?.text.match(/^ {2}- .*stage-status\.SITE1\.STG-\d+: DACS_MAIN: .*ECONNREFUSED/gm)).toHaveLength(100)
  expect(digest?.text).toContain('  - and 399 more\n')

  target.down = false
  await post('STG-0-again')
  await notifier.settled()
  notifier.pass(minuteMs)
  const [, , recovered] = await notifier.mailed(3)
  expect(notifier.subjects()[2]).toBe('recovered: DACS_MAIN')
  expect(recovered?.to).toEqual(['admin@utility.example'])
  expect(recovered?.text).toContain(
    'DACS_MAIN works again since 2026-03-01 02:15:03 UTC; it had failed since 2026-03-01 02:00:02 UTC.\n',
  )
  notifier.pass(60 * minuteMs)
  await notifier.settled()
  expect(notifier.mailbox.mails).toHaveLength(3)

  target.down = true
  await post('STG-500')
  await notifier.mailed(4)
  expect(notifier.subjects()[3]).toBe('DACS_MAIN is down: F7 target-unreachable STG-500')
})

test('without a digest each failure is a mail, and it is still told when the connection works again', async () => {
  await using notifier = await openDigests({ digestMinutes: 0 })
  const target = { down: true }
  const post = await notifier.work(stageStatus(target, notifier.clock))
  for (const id of ['a', 'b', 'c']) await post(id)
  await notifier.mailed(3)
  target.down = false
  await post('d')
  await notifier.settled()
  notifier.pass(minuteMs)
  await notifier.mailed(4)
  const of = (id: string) => `DACS_MAIN is down: F7 target-unreachable ${id}`
  expect(notifier.subjects().sort()).toEqual([of('a'), of('b'), of('c'), 'recovered: DACS_MAIN'])
})

test('all flows that meet a connection that is down are one mail, and one digest with a list for each', async () => {
  await using notifier = await openDigests()
  const met = (flow: string, id: string, more: Partial<Notice> = {}) =>
    notifier.notify(
      sampleNotice({
        flow,
        messageKey: `${flow}.SITE1.${id}`,
        code: 'target-error',
        httpStatus: 503,
        summary: `${id}: DACS_MAIN: call answered 503.`,
        next: `What ${flow} does.`,
        ...more,
      }),
    )
  await met('stage-status', 'first')
  await notifier.mailed(1)
  await met('enrollment-request', 'E-1')
  await met('stage-status', 'S-1', { code: 'still-failing', cause: 'target-timeout', httpStatus: undefined })
  await met('stage-status', 'S-2', { code: 'target-unauthorized', httpStatus: 401, details: 'Bad password' })
  await notifier.settled()
  expect(notifier.mailbox.mails).toHaveLength(1)
  notifier.pass(15 * minuteMs)
  const [, digest] = await notifier.mailed(2)
  expect(notifier.subjects()[1]).toBe('DACS_MAIN is still down: 3 more failures')
  expect(digest?.text).toMatch(
    /\nF1 Enrollment request \(1\):\n {2}- What happens next: What enrollment-request does\.\n {2}- .*E-1: /,
  )
  expect(digest?.text).toMatch(
    /\nF7 Program event \(stage\) status \(2\):\n {2}- What happens next: .*\n {2}- .*S-1: .*\n {2}- .*S-2: .* It said: Bad password\n/,
  )
  expect(digest?.text).toMatch(
    /\nTest the connection: pnpm tieline connections test DACS_MAIN\nOn the command line: pnpm tieline attention list --since 2024-09-01T17:00:02/,
  )
  expect(digest?.text).not.toMatch(/^Flow:/m)

  await met('stage-status', 'S-3')
  await notifier.settled()
  notifier.pass(15 * minuteMs)
  const [, , further] = await notifier.mailed(3)
  expect(further?.text).toContain('\nF7 Program event (stage) status (1):\n')
  expect(further?.text).not.toContain('F1 Enrollment')
})

test('failures of another flow, connection or code are another kind', async () => {
  await using notifier = await openDigests()
  const kinds = [{}, { flow: 'enrollment-request' }, { connection: 'DACS_2' }, { code: 'outcome-unknown' }]
  for (const kind of [...kinds, ...kinds]) await notifier.notify(sampleNotice(kind))
  await notifier.settled()
  expect(notifier.mailbox.mails).toHaveLength(kinds.length)
  notifier.pass(15 * minuteMs)
  const mails = await notifier.mailed(2 * kinds.length)
  expect(mails.filter(({ subject }) => subject.endsWith(' 1 more'))).toHaveLength(kinds.length)
})

test('the ends of files of one event are joined; what has no event, and a transfer without files, never', async () => {
  await using notifier = await openDigests()
  const ended = { kind: 'process-complete', flow: 'event-outcome', code: 'completed', connection: undefined } as const
  const summary = 'Event device outcome: all 10 rows are in DACS.'
  for (const id of ['1', '2', '3']) {
    const messageKey = `event-outcome.SITE1.OUT-${id}`
    await notifier.notify(sampleNotice({ ...ended, messageKey, summary, event: 'EV-1' }))
    await notifier.notify(sampleNotice({ ...ended, messageKey: `event-outcome.SITE1.LONE-${id}`, summary }))
    await notifier.notify(sampleNotice({ kind: 'no-file', flow: 'device-score', code: 'no-file' }))
  }
  await notifier.notify(sampleNotice({ ...ended, messageKey: 'event-outcome.SITE1.OUT-4', event: 'EV-2' }))
  await notifier.settled()
  expect(notifier.mailbox.mails).toHaveLength(8)

  notifier.pass(15 * minuteMs)
  const digest = (await notifier.mailed(9))[8]
  expect(digest).toMatchObject({ to: ['business@utility.example'] })
  expect(notifier.subjects()[8]).toBe('F9 Event device outcome: process-complete 2 more of EV-1')
  expect(digest?.text).toContain(
    'Event device outcome: 2 more files of event EV-1 ended since 2026-03-01 02:00:02 UTC.\n',
  )
  expect(digest?.text).toMatch(
    /\nEach of them: all 10 rows are in DACS\.\nFiles \(2\):\n {2}- .*OUT-2\n {2}- .*OUT-3\n/,
  )
  expect(digest?.text).not.toMatch(/Connection|HTTP status/)
})

test('flags and recipients are those of the moment, also for a digest', async () => {
  await using notifier = await openDigests()
  for (const id of ['1', '2', '3']) await notifier.notify(sampleNotice({ messageKey: `stage-status.SITE1.${id}` }))
  await notifier.settled()
  expect(notifier.mailbox.mails).toHaveLength(1)
  await notifier.setLookup('Email_ID', {
    To: ' Night Shift <night@utility.example> ;; "Day, \\"early\\"" <day@utility.example>, ',
  })
  notifier.pass(15 * minuteMs)
  const [, digest] = await notifier.mailed(2)
  expect(digest?.envelope.to).toEqual(['night@utility.example', 'day@utility.example'])
  expect(digest?.subject).toMatch(/ 2 more$/)

  await notifier.notify(sampleNotice({ messageKey: 'stage-status.SITE1.4' }))
  await notifier.setLookup('ConfigProps', { 'notification.email.error.flag': 'false' })
  notifier.pass(15 * minuteMs)
  const silenced = await eventually(async () => {
    const all = await notifier.notifications()
    return all.find(
      ({ key, firstAcceptedAt }) => firstAcceptedAt === notifier.clock() && key.includes('.stage-status.'),
    )
  })
  await notifier.settled()
  const { timeline } = (await notifier.show(silenced.key)) ?? {}
  expect(timeline).toContainEqual(expect.objectContaining({ what: 'not-mailed', why: 'switched-off' }))
  const unwanted = await notifier.notify(sampleNotice({ code: 'target-timeout' }))
  await notifier.settled()
  expect((await notifier.show(unwanted))?.timeline).toContainEqual(expect.objectContaining({ what: 'not-mailed' }))
  expect(notifier.mailbox.mails).toHaveLength(2)

  await notifier.setLookup('ConfigProps', {
    'notification.email.error.flag': 'true',
    'notification.email.process.complete.flag': 'false',
    'notification.email.process.nofile.flag': 'false',
  })
  await notifier.notify(sampleNotice({ code: 'target-timeout' }))
  await notifier.notify(sampleNotice({ kind: 'process-complete' }))
  await notifier.notify(sampleNotice({ kind: 'no-file' }))
  await notifier.settled()
  expect(notifier.subjects().slice(2)).toEqual(['F7 Program event (stage) status: target-timeout STG-1315-1'])
})

test('a failure that is being tried again and cannot be reached is down, one that is answered with an error is not', async () => {
  await using notifier = await openDigests()
  const down = async (more: object) => {
    await notifier.notify(sampleNotice({ code: 'still-failing', ...more }))
    await notifier.settled()
    return notifier.journal.redis.hkeys(`${notifier.journal.base}:down`)
  }
  expect(await down({ connection: 'A', httpStatus: 500 })).toEqual([])
  expect(await down({ connection: 'B', httpStatus: 503 })).toEqual(['B'])
  expect((await down({ connection: 'C', httpStatus: undefined })).sort()).toEqual(['B', 'C'])
  expect(await down({ connection: undefined, httpStatus: undefined })).toHaveLength(2)
  expect(await down({ connection: 'D', code: 'target-refused', httpStatus: 400 })).toHaveLength(2)
})
