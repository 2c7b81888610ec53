import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import type { Mailbox } from './mailbox.ts'
import { mailPage, mailsPage, missingMailPage, style } from './mailbox-view.ts'

/** The mails for people: `/` lists them, `/mails/3` shows the third that came. Nothing in a mail becomes a part of the page. */
export function createMailboxPage({ mails }: Pick<Mailbox, 'mails'>): Hono {
  const app = new Hono()
  const find = (number: string) => mails[Number(number) - 1]

  app.get('/', (c) => c.html(mailsPage(mails), 200, pageHeaders))
  app.get('/mails/:number{[0-9]+}', (c) => {
    const number = c.req.param('number')
    const mail = find(number)
    if (mail === undefined) return c.html(missingMailPage(), 404, pageHeaders)
    return c.html(mailPage(mail, Number(number), mails.length), 200, pageHeaders)
  })
  app.get('/mails/:number{[0-9]+}/html', (c) => {
    const mail = find(c.req.param('number'))
    if (mail === undefined) return c.html(missingMailPage(), 404, pageHeaders)
    return c.body(mail.html, 200, mailHeaders)
  })
  return app
}

const headers = {
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const pageHeaders = {
  ...headers,
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
}

/** The HTML of a mail is somebody else's: it may look like something, and do and load nothing, wherever it is opened. */
const mailHeaders = {
  ...headers,
  'content-security-policy': [
    'sandbox',
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; '),
}
