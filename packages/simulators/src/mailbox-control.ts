import { Hono } from 'hono'
import { z } from 'zod'
import { createControl, obey } from './control-routes.ts'
import type { Mailbox } from './mailbox.ts'
import { createMailboxPage } from './mailbox-page.ts'

/** `/control/…` of the mailbox, for those who are in another process, and a page to read the mails: SMTP has no place for either. */
export function createMailboxControl(mailbox: Mailbox): Hono {
  const failNext = z.strictObject({
    code: z.number().int().min(400).max(599),
    times: z.number().int().min(1).optional(),
  })
  const control = createControl()
  control.get('/mails', (c) => c.json(mailbox.mails))
  control.post('/fail-next', (c) => obey(c, failNext, mailbox.failNext))
  control.post('/reset', (c) => obey(c, z.unknown(), mailbox.reset))
  return new Hono().route('/control', control).route('/', createMailboxPage(mailbox))
}
