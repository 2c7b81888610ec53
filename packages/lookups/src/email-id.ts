import { z } from 'zod'

// The pattern of browsers: it takes `ops@mailhost` too, and nothing that could end a mail header.
const address = z.email({ pattern: z.regexes.html5Email })
const isAddress = (text: string) => address.safeParse(text).success

/** The properties of lookup Email_ID. An empty one, like a missing one, means nobody. */
export const emailId = z.object({
  From: z.string().refine((text) => text === '' || isAddress(text), 'must be one e-mail address'),
  To: addressList(),
  'to.process.notification': addressList(),
})

/** Recipients are separated by commas; blanks around them do not count. */
export const splitAddresses = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')

function addressList() {
  return z
    .string()
    .refine((list) => splitAddresses(list).every(isAddress), 'must be e-mail addresses separated by commas')
}
