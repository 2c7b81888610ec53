import { resolve } from 'node:path'
import { z } from 'zod'

/** Field types that several sections of the installation file share. */

export type FileField = ReturnType<typeof fileField>

/** A file or folder, made absolute from the folder of the installation file. */
export const fileField = (baseDir: string) =>
  z
    .string()
    .min(1)
    .transform((file) => resolve(baseDir, file))

/**
 * Parameters for `refine` of a rule between keys of one map. Zod skips such rules where another fault was found; this
 * one is always checked, so that one report holds every fault. The rule must not trust the types of what it compares.
 */
export const always = (error: string) => ({
  error,
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
})

/** A name that other parts of the file, lookups or message keys refer to. */
export const nameField = () => z.string().regex(nameForm.pattern, nameForm.rule)

export const nameForm = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
  rule: 'must be 1 to 64 letters, digits, "_", "-" or ".", a letter or digit first',
}

export const text = () => z.string().min(1)

/** A whole number between two bounds. */
export const whole = (min: number, max: number) => z.int().min(min).max(max)

/** An address without user, query and fragment, so that it can be shown and have a path appended. */
export const httpUrl = () =>
  z.string().refine(isPlainHttpUrl, 'must be an http or https address without user, query or fragment')

/** A proxy's address, which may carry its user and password; empty for none. */
export const proxyField = () =>
  z
    .string()
    .refine((url) => url === '' || isHttpUrl(url), 'must be empty or an http or https address')
    .default('')
    .describe('HTTP proxy for this connection; empty for none.')

/** The agent that reaches a target of a closed network. */
export const viaField = () =>
  nameField().optional().describe('Agent that carries this connection, one of `agents`; instead of `proxy`.')

export const basicField = () =>
  z.strictObject({
    username: z
      .string()
      .regex(/^[^:]+$/, 'must not be empty nor hold a colon, which HTTP Basic cannot carry')
      .describe('User name.'),
    password: text().describe('Password.'),
  })

/** Certificate of a listener. */
export const listenerTlsField = (file: FileField) =>
  z.strictObject({
    certFile: file.describe('Certificate chain, PEM. Read again when the file changes.'),
    keyFile: file.describe('Private key, PEM.'),
    clientCaFile: file.optional().describe('CA of client certificates; when given, callers must present one.'),
  })

/** Trust and identity of an outgoing connection. */
export const connectionTlsField = (file: FileField) =>
  z
    .strictObject({
      caFile: file
        .optional()
        .describe('CA bundle, PEM, in addition to the public ones. Read again when a file of `tls` changes.'),
      certFile: file.optional().describe('Client certificate for mutual TLS, PEM.'),
      keyFile: file.optional().describe('Key of the client certificate, PEM.'),
    })
    .refine(
      (tls) => (tls.certFile === undefined) === (tls.keyFile === undefined),
      always('needs certFile and keyFile together'),
    )

/** Addresses of mail servers; user and password may stand in the address, percent-encoded. */
export const isMailUrl = (value: string): boolean => hasScheme(value, ['smtp:', 'smtps:'])

export const isHttpUrl = (value: string): boolean => hasScheme(value, ['http:', 'https:'])

function isPlainHttpUrl(value: string): boolean {
  if (!isHttpUrl(value)) return false
  const { username, password } = new URL(value)
  return username === '' && password === '' && !/[?#]/.test(value)
}

const hasScheme = (value: string, schemes: readonly string[]): boolean =>
  /^[a-z]+:\/\/[^\s/]/.test(value) && URL.canParse(value) && schemes.includes(new URL(value).protocol)

/** Name of a time zone. */
export const timezoneField = () => z.string().refine(isTimezone, 'must be a time zone of the IANA database')

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
