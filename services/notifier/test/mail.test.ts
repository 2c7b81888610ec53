import { failures } from '@tieline/contracts/failures'
import type { Notice } from '@tieline/contracts/notice'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { composeMail } from '../src/mail.ts'
import { sampleNotice } from './notice.ts'

const key = 'notification.stage-status.0123456789abcdef01234567'
const compose = (notice: Partial<Notice> = {}, publicUrl?: string, environment = 'test', digestMinutes = 15) =>
  composeMail(sampleNotice(notice), key, {
    installation: { name: 'tieline', environment },
    console: { users: [], behindProxy: false, publicUrl },
    mail: { url: 'smtp://127.0.0.1', digestMinutes, details: false },
  })

test('the subject can be filtered by installation, environment, flow, code and message', () => {
  expect(compose().subject).toBe('[Tieline tieline/test] F7 Program event (stage) status: target-error STG-1315-1')
})

test('the text says what failed, when, where, how often, what follows and what to do', () => {
  expect(compose({ since: '2024-09-01T11:00:01Z' }, 'https://tieline.example/').text).toBe(
    `Program event (stage) status: DACS_MAIN: createProgramEvent answered 500.

What happens next: DERMS is told FAILURE and sends it again.

Flow: F7 Program event (stage) status, DERMS to DACS
When: 2024-09-01 17:00:02 UTC
Failing since: 2024-09-01 11:00:01 UTC
Connection: DACS_MAIN
HTTP status: 500
Attempts: 7
Message: stage-status.SITE1.STG-1315-1

Code: target-error
What it means: ${failures['target-error'].meaning}
What to do: ${failures['target-error'].next}

Look at it: https://tieline.example/messages/stage-status.SITE1.STG-1315-1
About the code: https://tieline.example/failures#target-error
On the command line: pnpm tieline messages show stage-status.SITE1.STG-1315-1
`,
  )
})

describe('a connection that is down', () => {
  const down = { httpStatus: 503, summary: 'Program event (stage) status: DACS_MAIN: createProgramEvent answered 503.' }

  test('is what the mail is about, with the message that met it', () => {
    const { subject, text } = compose(down)
    expect(subject).toBe('[Tieline tieline/test] DACS_MAIN is down: F7 target-error STG-1315-1')
    expect(text).toMatch(
      /^DACS_MAIN is down\.\n\nWhat failed: Program event .* answered 503\.\nWhat happens next: DERMS is told FAILURE.*\nWhat else fails: .*come together in one mail/,
    )
    expect(text).toContain('\nTest the connection: pnpm tieline connections test DACS_MAIN\nOn the command line: ')
  })

  test('promises no joined mails where none are joined', () => {
    expect(compose(down, undefined, 'test', 0).text).not.toContain('What else fails')
  })

  test.each([
    [{ code: 'target-unauthorized', httpStatus: 401 }, 'DACS_MAIN refuses our login'],
    [{ code: 'target-unauthorized', httpStatus: undefined }, 'DACS_MAIN refuses our login'],
    [{ code: 'target-forbidden', httpStatus: 403 }, 'DACS_MAIN denies us access'],
    [{ code: 'still-failing', cause: 'target-throttled', httpStatus: 429 }, 'DACS_MAIN takes no more calls'],
    [{ code: 'target-timeout', httpStatus: undefined }, 'DACS_MAIN does not answer in time'],
    [{ code: 'target-reset', httpStatus: undefined }, 'DACS_MAIN breaks off in the middle of calls'],
    [{ code: 'target-unreachable', httpStatus: undefined }, 'DACS_MAIN is down'],
    [{ code: 'target-error', httpStatus: 502 }, 'DACS_MAIN is down'],
  ])('is said in words: %o', (notice, headline) => {
    expect(compose(notice).text.split('\n')[0]).toBe(`${headline}.`)
    expect(compose(notice).subject).toContain(`] ${headline}: F7 ${notice.code} STG`)
  })

  test.each([400, 500])('is not what a %i tells', (httpStatus) => {
    expect(compose({ httpStatus }).subject).not.toContain('is down')
  })
})

test('a message that is still being tried is told with the cause, the next attempt and the last', () => {
  const trying = { again: '2024-09-01T17:01:02.000Z', until: '2024-09-01T23:00:02.000Z' }
  const { text } = compose({ code: 'still-failing', cause: 'target-error', trying }, 'https://tieline.example')
  expect(text).toContain('\nTried again: 2024-09-01 17:01:02 UTC\nTried until: 2024-09-01 23:00:02 UTC\n')
  expect(text).toContain(`\nCode: still-failing, target-error\nWhat it means: ${failures['target-error'].meaning}\n`)
  expect(text).toContain('failures#target-error')

  const undelivered = compose({ code: 'ack-undelivered', cause: 'target-error' }).text
  expect(undelivered).toContain(
    `\nCode: ack-undelivered, target-error\nWhat it means: ${failures['ack-undelivered'].meaning}\n`,
  )
})

test('what a target said stands in the mail when the notice has it', () => {
  expect(compose({ details: 'No such program' }).text).toContain('\nHTTP status: 500\nIt said: No such program\n')
})

test('the command that runs a message again is told, quoted for a shell', () => {
  const again = (notice: Partial<Notice>) => /^Run it again: (.*)$/m.exec(compose(notice).text)?.[1]
  expect(again({ rerun: 'dead resubmit' })).toBe(
    "pnpm tieline dead resubmit stage-status.SITE1.STG-1315-1 --reason '…'",
  )
  expect(again({ rerun: 'dead resubmit', code: 'outcome-unknown' })).toBe(
    "pnpm tieline messages rerun stage-status.SITE1.STG-1315-1 --from-start --reason '…'",
  )
  expect(again({ rerun: 'messages rerun', messageKey: "stage-status.SITE1.it's $(1)" })).toBe(
    String.raw`pnpm tieline messages rerun 'stage-status.SITE1.it'\''s $(1)' --reason '…'`,
  )
  expect(again({ rerun: 'messages rerun', code: 'superseded' })).toContain(' --force ')
  expect(again({ rerun: 'messages rerun', code: 'contract-violation' })).toBeUndefined()
  expect(again({})).toBeUndefined()
})

test('no advice about a code says who tries again: that depends on the message', () => {
  for (const [code, { next }] of Object.entries(failures)) {
    expect(next, code).not.toMatch(/Tieline (tries|goes on|waits)(?! for a day)|nothing happens by itself/i)
  }
})

test('what is not known is left out', () => {
  const { text, html } = compose({ connection: undefined, httpStatus: undefined, code: 'odd', flow: 'odd-flow' })
  for (const part of [text, html]) {
    expect(part).toContain('odd-flow')
    expect(part).not.toMatch(/Connection|HTTP status|since|What it means|What to do|Look at it|undefined/)
  }
})

test('the same facts stand in the text and in the HTML', () => {
  const { text, html } = compose()
  const plain = html.replaceAll(/<[^>]+>/g, '\n')
  for (const part of text.split(/\n|^[\w ]+: /m)) expect(plain).toContain(part)
})

const at = (minute: number) => `2024-09-01T17:${String(minute).padStart(2, '0')}:02Z`

const digest = (named: NonNullable<Notice['digest']>['named'], count = named.length) => ({
  messageKey: undefined,
  httpStatus: undefined,
  attempts: undefined,
  digest: { count, since: at(15), first: at(0), named },
})

test('a digest names those that it stands for, and once what they have in common', () => {
  const entry = { summary: sampleNotice().summary, occurredAt: at(16) }
  const named = [
    { ...entry, messageKey: 'stage-status.SITE1.A' },
    { ...entry, messageKey: 'stage-status.SITE1.B' },
  ]
  const { subject, text, html } = compose(digest(named, 499), 'https://tieline.example')
  expect(subject).toMatch(/F7 Program event \(stage\) status: target-error 499 more$/)
  expect(text).toContain(`
Failing since: 2024-09-01 17:00:02 UTC
Connection: DACS_MAIN
`)
  expect(text).toContain(`
Each of them: DACS_MAIN: createProgramEvent answered 500.
Failures (499):
  - 2024-09-01 17:16:02 UTC, stage-status.SITE1.A
  - 2024-09-01 17:16:02 UTC, stage-status.SITE1.B
  - and 497 more

About the code: https://tieline.example/failures#target-error
On the command line: pnpm tieline messages list --flow stage-status --code target-error --since 2024-09-01T17:15:02Z
`)
  expect(html).toContain('<li>2024-09-01 17:16:02 UTC, stage-status.SITE1.B</li><li>and 497 more</li></ul>')
})

test('a digest of different ends says how each ended', () => {
  const named = [
    { messageKey: 'k', file: 'a.csv', summary: 'Device score transfer: answered 400.', occurredAt: at(16) },
    { summary: 'Something else', occurredAt: at(17) },
  ]
  const { text } = compose({ ...digest(named), flow: 'device-score', code: 'target-refused' })
  expect(text).toContain(`
Failures (2):
  - 2024-09-01 17:16:02 UTC, k, a.csv: answered 400.
  - 2024-09-01 17:17:02 UTC: Something else

On the command line: pnpm tieline messages list --flow device-score --since 2024-09-01T17:15:02Z
`)
})

test.each([
  ['still-failing', 'pnpm tieline messages list --flow stage-status --state retrying'],
  ['reply-uncollected', 'pnpm tieline messages list --flow stage-status --since 2024-09-01T17:15:02Z'],
])('the command of a digest finds the messages, whatever their code is: %s', (code, command) => {
  expect(compose({ ...digest([{ summary: 'x', occurredAt: at(16) }]), code }).text).toContain(`: ${command}\n`)
})

test('a mail about a run that did not begin, which is no message, says where to look', () => {
  const { subject, text } = compose({ messageKey: undefined, connection: undefined, code: 'run-missed' }, 'https://t')
  expect(subject).toMatch(/: run-missed$/)
  expect(text).toContain('On the command line: pnpm tieline schedules list\n')
  expect(text).not.toMatch(/Look at it|Message:/)
})

test('the end of a file tells its rows, the end of a transfer its files', () => {
  const rows = { read: 30, confirmed: 24, refused: 3, unknown: 2, notSent: 1 }
  const file = compose({ kind: 'process-complete', flow: 'event-outcome', event: 'EV-1', rows })
  expect(file.text).toContain(
    '\nEvent: EV-1\nRows: 30 read, 24 confirmed, 3 refused or left out, 2 of unknown outcome, 1 not sent\n',
  )
  const files = {
    sent: ['a.csv', 'b.csv'],
    failed: ['c.csv: target-refused, now Error-c.csv'],
    left: [],
    totals: { sent: 120, failed: 1, left: 0 },
  }
  const transfer = compose({ kind: 'process-complete', flow: 'device-score', files, summary: '120 of 121 files' })
  expect(transfer.text).toMatch(/^120 of 121 files\.\n/)
  expect(transfer.text).toContain(`
Not transferred (1):
  - c.csv: target-refused, now Error-c.csv
Sent (120):
  - a.csv
  - b.csv
  - and 118 more
`)
  expect(transfer.text).not.toContain('Left for the next run')
  expect(transfer.html).toContain('<li>a.csv</li><li>b.csv</li><li>and 118 more</li>')
})

test('a connection that works again is told with what was given up meanwhile', () => {
  const recovered = { kind: 'recovered', flow: 'notification', code: 'recovered', since: at(0), messageKey: undefined }
  const { subject, text } = compose({ ...recovered, kind: 'recovered', httpStatus: undefined })
  expect(subject).toBe('[Tieline tieline/test] recovered: DACS_MAIN')
  expect(text).toContain('\nDown since: 2024-09-01 17:00:02 UTC\nConnection: DACS_MAIN\n')
  expect(text).toContain('On the command line: pnpm tieline attention list --since 2024-09-01T17:00:02Z\n')
  expect(text).not.toMatch(/Flow|Code/)
})

test.each([
  [{ kind: 'error' }, 'Failure', '#a1261c'],
  [{ kind: 'error', ...digest([]) }, 'More failures of the same kind', '#a1261c'],
  [{ kind: 'process-complete', code: 'completed' }, 'Process complete', '#2f4a66'],
  [{ kind: 'process-complete', code: 'rows-left-out' }, 'Process ended, not all went through', '#a1261c'],
  [{ kind: 'process-complete', ...digest([]) }, 'More files have ended', '#2f4a66'],
  [{ kind: 'no-file' }, 'No file', '#2f4a66'],
  [{ kind: 'recovered' }, 'Works again', '#1c6b3a'],
] as const)('the HTML says at its top what kind of mail it is: %o', (notice, title, colour) => {
  expect(compose(notice).html).toContain(`background:${colour};color:#ffffff"><strong>${title}</strong>`)
})

test('the link of the HTML is that of the text', () => {
  const link = 'https://tieline.example/messages/stage-status.SITE1.a%252Fb'
  const { text, html } = compose({ messageKey: 'stage-status.SITE1.a%2Fb' }, 'https://tieline.example')
  expect(text).toContain(`Look at it: ${link}\n`)
  expect(html).toContain(`<a href="${link}">`)
})

test.each(['messageKey', 'code', 'flow', 'summary', 'connection', 'next'] as const)(
  'no %s can add a header or a line',
  (field) => {
    const plain = compose({ [field]: 'x y z' })
    const hostile = compose({ [field]: 'x\r\nBcc: everybody@utility.example\u2028y\u202ez' })
    expect(hostile.subject).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u)
    expect(hostile.text.split('\n')).toHaveLength(plain.text.split('\n').length)
    expect(hostile.text).not.toMatch(/^Bcc/m)
    expect(hostile.messageId).toMatch(/^<[0-9a-f]{32}@tieline>$/)
  },
)

test('no value can become markup', () => {
  const { html } = compose({ summary: `<script>alert("1")</script> & 'more'`, connection: '<b>', messageKey: '"><i>' })
  expect(html).not.toMatch(/<script>|<b>|<i>|">"/)
  expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;')
})

test('a long message id does not fill the subject', () => {
  const { subject, text } = compose({ messageKey: `enrollment-request.SITE1.${'x'.repeat(120)}` })
  expect(subject.length).toBeLessThan(160)
  expect(subject).toMatch(/x…$/)
  expect(text).toContain('x'.repeat(120))
})

test('the Message-ID is that of the notification in its environment', () => {
  expect(compose({ attempts: 8 }).messageId).toBe(compose().messageId)
  expect(compose({}, undefined, 'production').messageId).not.toBe(compose().messageId)
})

test('whatever a notice says, it stays one subject line, a fact a line, and plain text in the HTML', () => {
  const text = fc.string({ unit: 'binary' })
  const occurredAt = at(16)
  const strange = fc.record({
    kind: fc.constantFrom('error', 'process-complete', 'no-file', 'recovered'),
    ...{ messageKey: text, flow: text, summary: text, connection: text, next: text, file: text, event: text },
    code: text.map((code) => `odd ${code}`),
    files: fc
      .record({ sent: text, failed: text, left: text })
      .map(({ sent, failed, left }) => ({ sent: [sent], failed: [failed], left: [left], totals })),
    digest: fc.option(
      fc.record({ messageKey: text, file: text, summary: text }).map(
        (entry) =>
          digest([
            { ...entry, occurredAt },
            { summary: 'another', occurredAt },
          ]).digest,
      ),
      { nil: undefined },
    ),
  })
  const totals = { sent: 1, failed: 1, left: 1 }
  const marks = (html: string) => html.replaceAll(/[^<>"']+/g, '')
  const lines = (mail: { text: string }) => mail.text.split('\n').length
  fc.assert(
    fc.property(strange, (notice) => {
      const plain = compose(harmless(notice), 'https://tieline.example')
      const { subject, text, html } = compose(notice, 'https://tieline.example')
      expect(subject).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u)
      expect(subject.isWellFormed()).toBe(true)
      expect(lines({ text })).toBe(lines(plain))
      expect(marks(html)).toBe(marks(plain.html))
    }),
  )
})

/** The same with a letter for each text. */
const harmless = (notice: Partial<Notice>): Partial<Notice> =>
  JSON.parse(
    JSON.stringify(notice, (name, value: unknown) =>
      typeof value === 'string' && !['kind', 'occurredAt', 'since', 'first'].includes(name) && value !== 'another'
        ? 'x'
        : value,
    ),
  )
