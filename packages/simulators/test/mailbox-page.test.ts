import { createHash } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startMailbox } from '../src/mailbox.ts'
import { createMailboxControl } from '../src/mailbox-control.ts'
import { serve } from '../src/start.ts'
import { converse, mailCommands, type TestMail } from './smtp.ts'

const mailbox = await startMailbox()
const { url, ...server } = await serve({ app: createMailboxControl(mailbox) }, {})

beforeEach(() => mailbox.reset())
afterAll(() => Promise.all([mailbox[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]))

const deliver = (mail: TestMail) => converse(mailbox.port, mailCommands(mail))

async function open(path: string) {
  const response = await fetch(url + path)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, policy: policyOf(response.headers) }
}

const policyOf = (headers: Headers): readonly string[] => headers.get('content-security-policy')?.split('; ') ?? []

/** The names of all elements, in order. */
const elementsOf = (page: string): string[] => [...page.matchAll(/<([a-z][^\s>]*)/gi)].map(([, name = '']) => name)

const evil = '</title></style></pre></iframe><script>alert(1)</script><img src=x onerror=alert(1)>"\'><b x="&amp;'
const hostile: TestMail = { subject: evil, text: evil, html: evil, headers: [`X-Evil: ${evil}`] }
const harmless: TestMail = { subject: 'harmless', headers: ['X-Evil: none'] }

describe('the list', () => {
  test('shows every mail with its time, sender, recipients and subject, the newest first', async () => {
    for (const subject of ['first', '=?utf-8?q?second_=E2=80=93?=', '']) await deliver({ subject })
    const { status, headers, text } = await open('/')
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(text).toContain('3 mails')
    expect([...text.matchAll(/href="([^"]+)">([^<]+)</g)].map(([, href, label]) => [href, label])).toEqual([
      ['/mails/3', '(no subject)'],
      ['/mails/2', 'second –'],
      ['/mails/1', 'first'],
    ])
    expect(text).toContain(new Date(mailbox.mails[0]?.at ?? 0).toISOString())
    expect(text).toContain('<td>tieline@utility.example<td>ops@utility.example, night@utility.example<td>')
  })

  test('says that there is none', async () => {
    expect((await open('/')).text).toContain('No mail has come yet')
  })
})

describe('one mail', () => {
  test('is shown with its headers, its text and its HTML', async () => {
    await deliver({ subject: 'first', text: 'two\r\nlines', headers: ['X-Flow: F7'] })
    const { status, text } = await open('/mails/1')
    expect(status).toBe(200)
    expect(text).toContain('<h1>first</h1>')
    expect(text).toContain('<th>x-flow<td>F7')
    expect(text).toContain('<pre>two\nlines</pre>')
    expect((await open('/mails/1/html')).text).toBe('<p>Hello</p>\n')
  })

  test('leads to the ones before and after it', async () => {
    for (const subject of ['1', '2', '3']) await deliver({ subject })
    const neighbours = async (path: string) => (await open(path)).text.match(/href="[^"]+"/g)
    expect(await neighbours('/mails/2')).toEqual(['href="/"', 'href="/mails/3"', 'href="/mails/1"'])
    expect(await neighbours('/mails/3')).toEqual(['href="/"', 'href="/mails/2"'])
    expect(await neighbours('/mails/1')).toEqual(['href="/"', 'href="/mails/2"'])
  })

  test.each(['/mails/0', '/mails/2', '/mails/2/html', '/mails/99999999999999999999'])(
    'is missing: %s',
    async (path) => {
      await deliver({ subject: 'first' })
      expect((await open(path)).status).toBe(404)
    },
  )
})

describe('a hostile mail', () => {
  test.each(['/', '/mails/1'])('becomes no part of the page %s', async (path) => {
    await deliver(harmless)
    const expected = elementsOf((await open(path)).text)
    mailbox.reset()
    await deliver(hostile)
    const page = await open(path)
    expect(mailbox.mails).toMatchObject([{ subject: evil, text: `${evil}\n`, headers: { 'x-evil': evil } }])
    expect(elementsOf(page.text)).toEqual(expected)
    expect(page.text).toContain('&lt;script&gt;alert(1)')
    expect(page.text).toContain('&amp;amp;')
  })

  test('has its HTML in a frame that may do nothing, and in no other place', async () => {
    await deliver(hostile)
    const { text } = await open('/mails/1')
    expect(text.match(/<iframe[^>]*>/g)).toEqual(['<iframe sandbox title="HTML of the mail" src="/mails/1/html">'])
    const { headers, policy } = await open('/mails/1/html')
    expect(policy).toEqual(expect.arrayContaining(['sandbox', "default-src 'none'", "form-action 'none'"]))
    expect(headers.get('content-security-policy')).not.toMatch(/script-src|allow-|http/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('finds no page that runs scripts, or styles but ours', async () => {
    await deliver(hostile)
    for (const path of ['/', '/mails/1', '/mails/2']) {
      const { text, policy } = await open(path)
      const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? []
      expect(policy).toEqual([
        "default-src 'none'",
        `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ])
    }
  })
})
