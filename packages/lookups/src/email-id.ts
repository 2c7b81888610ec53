import { z } from 'zod'

// The pattern of browsers: it takes `ops@mailhost` too, and nothing that could end a mail header.
const address = z.email({ pattern: z.regexes.html5Email })
const isAddress = (text: string) => address.safeParse(text).success

/** The properties of lookup Email_ID. An empty one, like a missing one, means nobody. */
export const emailId = z.object({
  From: z
    .string()
    .refine((text) => splitMailboxes(text).length <= 1 && areMailboxes(text), 'must be one e-mail address'),
  To: mailboxList(),
  'to.process.notification': mailboxList(),
})

/**
 * The senders or recipients of a text, each as a mail header has it: an address, or `"Name" <address>`. They are separated by
 * commas or semicolons outside of quotes; blanks around them do not count.
 */
export const mailboxesOf = (list: string | undefined): string[] =>
  splitMailboxes(list ?? '').map((text) => {
    const { name, address } = readMailbox(text)
    return name === '' ? address : `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}" <${address}>`
  })

function areMailboxes(list: string): boolean {
  return splitMailboxes(list).every((text) => isAddress(readMailbox(text).address))
}

/** A quote in a name may stand for itself behind a backslash. */
const splitMailboxes = (list: string): string[] =>
  (list.match(/(?:"(?:\\.|[^"\\])*"|<[^<>]*>|[^,;])+/g) ?? []).map((text) => text.trim()).filter((text) => text !== '')

/** `Name <address>`, the name in quotes or not, or an address alone. */
function readMailbox(text: string): { name: string; address: string } {
  const [, given = '', address = ''] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? ['', '', text]
  const [, quoted] = /^"((?:\\.|[^"\\])*)"$/.exec(given.trim()) ?? []
  return { name: quoted?.replaceAll(/\\(.)/g, '$1') ?? given.trim(), address: address.trim() }
}

function mailboxList() {
  return z.string().refine(areMailboxes, 'must be e-mail addresses separated by commas or semicolons')
}
