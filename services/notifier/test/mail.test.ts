import { failures } from '@tieline/contracts/failures'
import type { Notice } from '@tieline/contracts/notice'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composeMail } from '../src/mail.ts'
import { sampleNotice } from './notice.ts'

const key = 'notification.stage-status.0123456789abcdef01234567'
const compose = (notice: Partial<Notice> = {}, publicUrl?: string, environment = 'test') =>
  composeMail(sampleNotice(notice), key, {
    installation: { name: 'tieline', environment },
    console: { users: [], behindProxy: false, publicUrl },
  })

test('the subject can be filtered by installation, environment, flow, code and message', () => {
  expect(compose().subject).toBe('[Tieline tieline/test] F7 Program event (stage) status: target-error STG-1315-1')
})

test('the text says what failed, when, where, how often, what follows and what to do', () => {
  expect(compose({}, 'https://tieline.example/').text).toBe(
    `Program event (stage) status: DACS_MAIN: createProgramEvent answered 503.

Flow: F7 Program event (stage) status, DERMS to DACS
When: 2024-09-01 17:00:02 UTC
Connection: DACS_MAIN
HTTP status: 503
Attempts: 7
What happens next: DERMS is answered FAILURE and sends the message again.
Code: target-error
What it means: ${failures['target-error'].meaning}
What to do: ${failures['target-error'].next}
Message: stage-status.SITE1.STG-1315-1

Look at it: https://tieline.example/messages/stage-status.SITE1.STG-1315-1
On the command line: pnpm tieline messages show stage-status.SITE1.STG-1315-1
`,
  )
})

test('what is not known is left out', () => {
  const { text, html } = compose({ connection: undefined, httpStatus: undefined, code: 'odd', flow: 'odd-flow' })
  for (const part of [text, html]) {
    expect(part).toContain('odd-flow')
    expect(part).not.toMatch(/Connection|HTTP status|What it means|What to do|Look at it|undefined/)
  }
})

test('the same facts stand in the text and in the HTML', () => {
  const { text, html } = compose()
  const plain = html.replaceAll(/<[^>]+>/g, '\n')
  for (const part of text.split(/\n|^[\w ]+: /m)) expect(plain).toContain(part)
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

test('whatever a notice says, it stays one subject line and plain text in the HTML', () => {
  const text = fc.string({ unit: 'binary' })
  const strange = fc.record({ messageKey: text, code: text, flow: text, summary: text, connection: text, next: text })
  const marks = (html: string) => html.replaceAll(/[^<>"']+/g, '')
  const expected = marks(compose({ code: 'odd' }, 'https://tieline.example').html)
  fc.assert(
    fc.property(strange, (notice) => {
      const { subject, html } = compose(notice, 'https://tieline.example')
      expect(subject).not.toMatch(/[\r\n]/)
      expect(marks(html)).toBe(expected)
    }),
  )
})
