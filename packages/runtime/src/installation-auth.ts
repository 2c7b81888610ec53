import { z } from 'zod'
import { always, basicField, type FileField, httpUrl, text } from './installation-fields.ts'

/** How Tieline logs in at DACS and DERMS. */
export const authField = (file: FileField) =>
  z.union([z.literal('none'), z.strictObject({ basic: basicField() }), z.strictObject({ oauth2: oauth2Field(file) })], {
    error: 'must be none, { basic: … } or { oauth2: … }',
  })

/** Set by Tieline itself. */
const reserved = [
  'grant_type',
  'scope',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'username',
  'password',
] as const

const oauth2Field = (file: FileField) =>
  z
    .strictObject({
      tokenUrl: httpUrl().describe('Token endpoint.'),
      clientId: text().describe('Client id.'),
      clientSecret: text().optional().describe('Client secret; either this or `privateKeyFile`.'),
      clientSecretIn: z
        .enum(['header', 'body'])
        .default('header')
        .describe('Send id and secret as HTTP Basic, or in the form (`client_secret_post`).'),
      privateKeyFile: file
        .optional()
        .describe(
          'Private key, PEM, that signs an assertion in place of a secret (`private_key_jwt`). Read at each token.',
        ),
      keyId: text().optional().describe('Id of that key (`kid`), where the identity provider knows several.'),
      assertionAudience: text().optional().describe('Audience of the assertion. Default: `tokenUrl`.'),
      username: text().optional().describe('With `password`: the password grant in place of client credentials.'),
      password: text().optional().describe('Password of `username`.'),
      scope: text().optional().describe('Scope to ask for.'),
      parameters: z
        .record(z.string(), text())
        .default({})
        .describe('More parameters of the token request, such as `audience` or `resource`.'),
    })
    .refine(
      (oauth2) => oauth2.clientSecret === undefined || oauth2.privateKeyFile === undefined,
      always('needs clientSecret or privateKeyFile, not both'),
    )
    .refine(
      (oauth2) => [oauth2.clientSecret, oauth2.privateKeyFile, oauth2.username].some((given) => given !== undefined),
      always('needs clientSecret or privateKeyFile'),
    )
    .refine(
      (oauth2) => (oauth2.username === undefined) === (oauth2.password === undefined),
      always('needs username and password together'),
    )
    .refine(
      ({ parameters }) =>
        typeof parameters !== 'object' ||
        parameters === null ||
        reserved.every((name) => !Object.hasOwn(parameters, name)),
      { ...always(`must not set what has keys of its own: ${reserved.join(', ')}`), path: ['parameters'] },
    )
