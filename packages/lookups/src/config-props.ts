import { z } from 'zod'

const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'must be true or false' })

/** Part of a file name that must be there: it tells sent files from others. */
const fileNamePart = z
  .string()
  .regex(/^[^/\\\p{Cc}]+$/u, 'must be part of a file name: not empty, without separators or control characters')

/** Something that only installations of one kind have. A transfer that needs it fails naming it. */
const optionalText = z.string().transform((text) => (text === '' ? undefined : text))

/**
 * The properties of lookup ConfigProps and the types of their values (docs/wire-facts.md, Lookups). The names are those of the
 * guide, so that one search finds a property everywhere.
 */
export const configProps = z.object({
  'notification.type.email': emailOnly(),
  'notification.email.error.flag': flag,
  'notification.email.process.complete.flag': flag,
  'notification.email.process.nofile.flag': flag,
  /** Seconds. */
  enrollmentSyncAckDelay: wholeNumber(0, 86_400),
  'dacs.enrollmentSource.default': z.enum(['X1BY', 'X1CC', 'X1SS'], 'must be X1BY, X1CC or X1SS'),
  'dacs.prefixtag.fileuploaded': fileNamePart,
  'dacs.prefixtag.filenotuploaded': fileNamePart,
  'dacs.dvcScore.extract.filename.prefix': fileNamePart,
  'dacs.dvcScore.ftp.input.directory': optionalText,
  'dacs.os.namespace': optionalText,
  'dacs.os.dvcScore.bucketname': optionalText,
  'dacs.error.ack.messagecategory': wholeNumber(-99_999, 99_999),
  'dacs.error.ack.messagenumber': wholeNumber(-99_999, 99_999),
})

export type ConfigProps = Readonly<z.infer<typeof configProps>>

const defaults = {
  'notification.type.email': ['email', 'How failures are reported. E-mail is the only way there is.'],
  'notification.email.error.flag': ['true', 'true: failures send an e-mail to To of lookup Email_ID.'],
  'notification.email.process.complete.flag': [
    'true',
    'true: a finished file flow sends an e-mail to to.process.notification of lookup Email_ID.',
  ],
  'notification.email.process.nofile.flag': [
    'true',
    'true: a transfer that finds no file sends an e-mail to to.process.notification of lookup Email_ID.',
  ],
  enrollmentSyncAckDelay: ['5', 'Seconds before an enrollment sync acknowledgment goes on to DACS.'],
  'dacs.enrollmentSource.default': [
    'X1BY',
    'Source of enrollments that DERMS requests: X1BY bring your own, X1CC contact center, X1SS self service.',
  ],
  'dacs.prefixtag.fileuploaded': ['Sent-', 'Goes before the name of a file that has been transferred.'],
  'dacs.prefixtag.filenotuploaded': ['Error-', 'Goes before the name of a file that could not be transferred.'],
  'dacs.dvcScore.extract.filename.prefix': [
    'DeviceScore',
    'How the names of score files begin: like the file name of batch X1-SDCSE in DACS.',
  ],
  'dacs.dvcScore.ftp.input.directory': ['', 'Directory of the score files. Needed when they come by SFTP.'],
  'dacs.os.namespace': ['', 'Object Storage namespace of DACS. Needed when score files come from Object Storage.'],
  'dacs.os.dvcScore.bucketname': ['', 'Bucket of the score files. Needed when they come from Object Storage.'],
  'dacs.error.ack.messagecategory': ['11114', 'Message category of an error that DACS shows at the sync request.'],
  'dacs.error.ack.messagenumber': ['31002', 'Message number of an error that DACS shows at the sync request.'],
} as const satisfies Readonly<Record<keyof ConfigProps, readonly [value: string, description: string]>>

/** Every property with its default. */
export const configPropsRows = Object.entries(defaults).map(([PropertyName, [Value, Description]]) => ({
  PropertyName,
  Value,
  Description,
}))

/** E-mail is the only way there is. Some installations say so with `true`. */
function emailOnly() {
  return z
    .string()
    .regex(/^(?:email|true)$/i, 'must be email or true')
    .transform(() => 'email' as const)
}

function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^-?\d+$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error))
}
