import { inboundFlowIds } from '@tieline/contracts/flows'
import { z } from 'zod'
import { isBillNamePattern } from './bill-name-pattern.ts'
import {
  always,
  basicField,
  type FileField,
  httpUrl,
  listenerTlsField,
  nameField,
  text,
  whole,
} from './installation-fields.ts'
import { isPasswordHash } from './password-hash.ts'

/** Section `ingress`. */
export const ingressSection = (file: FileField) =>
  z
    .strictObject({
      maxFileBytes: whole(1, 1_099_511_627_776)
        .default(1_073_741_824)
        .describe('Largest file part of a message, in bytes.'),
      maxJsonBytes: whole(1, 104_857_600).default(10_485_760).describe('Largest JSON body or part, in bytes.'),
      maxRecords: whole(1, 50_000)
        .default(5_000)
        .describe('Most records in one message: enrollments of F1, responses of F3. More is answered 413.'),
      tls: listenerTlsField(file).optional().describe('Serve HTTPS with this certificate.'),
      behindProxy,
      clients: z.array(clientField(file)).min(1, 'needs at least one client').describe('Who may post messages.'),
    })
    .describe('The door that DERMS and DACS post to.')

/** Section `console`. */
export const consoleSection = (file: FileField) =>
  z
    .strictObject({
      publicUrl: httpUrl()
        .optional()
        .describe('Address of the console as people reach it: root of the links in e-mails.'),
      tls: listenerTlsField(file).optional().describe('Serve HTTPS with this certificate.'),
      behindProxy,
      users: z
        .array(
          z.strictObject({
            name: nameField().describe('Name of the user.'),
            passwordHash: z
              .string()
              .refine(isPasswordHash, 'must be scrypt:<N>:<r>:<p>:<salt>:<hash>, N a power of two, within 256 MiB')
              .describe('Hash of the password, `scrypt:<N>:<r>:<p>:<salt>:<hash>`.'),
            role: z.enum(['viewer', 'operator', 'administrator']).describe('What the user may do.'),
          }),
        )
        .default([])
        .describe('Who may log in.'),
    })
    .prefault({})
    .describe("The operators' console.")

/** Section `bills`. */
export const billsSection = (file: FileField) =>
  z
    .strictObject({
      source: z
        .discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('directory'), path: file.describe('Folder with the bills.') }),
          z.strictObject({
            kind: z.literal('sftp'),
            connection: nameField().describe('Connection of kind `sftp`.'),
            path: text().default('.').describe('Folder on the server.'),
          }),
          z.strictObject({
            kind: z.literal('oci-object-storage'),
            connection: nameField().describe('Connection of kind `oci-object-storage`.'),
            bucket: text().describe('Bucket with the bills.'),
          }),
          z.strictObject({
            kind: z.literal('s3'),
            connection: nameField().describe('Connection of kind `s3`.'),
            bucket: text().describe('Bucket with the bills.'),
          }),
        ])
        .describe('Where the bills are.'),
      namePattern: z
        .string()
        .refine(
          isBillNamePattern,
          'must hold {bill_id}, and no braces but {bill_id}, {bill_id:offset}, {bill_id:offset:length}',
        )
        .default('{bill_id}.pdf')
        .describe(
          'File name of a bill, with folders if there are any. `{bill_id:0:3}` is a part of the id: 3 characters from the first; a negative offset counts from the end.',
        ),
      firstByteWithinS: whole(1, 15)
        .default(5)
        .describe('A bill whose first byte takes longer is answered 500. The site waits for 5 s or more.'),
      maxBytes: whole(1, 104_857_600).default(5_000_000).describe('Largest bill, in bytes.'),
      basic: z
        .union([basicField(), z.array(basicField()).min(1, 'needs at least one, or leave it out to ask for none')])
        .optional()
        .describe(
          'Credentials that callers must present, or a list of them: any is let in, so that old and new overlap. Omitted: none.',
        ),
      tls: listenerTlsField(file).optional().describe('Serve HTTPS with this certificate.'),
      behindProxy,
    })
    .optional()
    .describe('The bill download for the self-service portal.')

const clientField = (file: FileField) =>
  z.strictObject({
    name: nameField().describe('Name of the client in logs, in the journal and in message keys.'),
    instances: z
      .array(text())
      .min(1, 'needs at least one instance, or leave it out to allow any')
      .optional()
      .describe('The instances of DERMS (`drmsInstanceId`) it may speak for. Omitted: any.'),
    flows: z.array(z.enum(inboundFlowIds)).min(1, 'needs at least one flow').describe('The flows it may start.'),
    requestsPerMinute: whole(1, 1_000_000)
      .optional()
      .describe('More requests than so many are answered 429, which uses up a retry of the sender. Omitted: no limit.'),
    credentials: z
      .array(credentialField(file))
      .min(1, 'needs at least one credential')
      .describe('Any of them opens the door, so that old and new overlap during a rotation.'),
  })

const credentialField = (file: FileField) =>
  z.union(
    [
      z.strictObject({ basic: basicField() }),
      z.strictObject({
        jwt: z
          .strictObject({
            issuer: text().describe('Required value of `iss`.'),
            audience: text().describe('Required value of `aud`.'),
            jwksUrl: httpUrl().optional().describe('Key set of the issuer; either this or `jwksFile`.'),
            jwksFile: file.optional().describe('Key set in a JSON file; either this or `jwksUrl`.'),
            scope: text().optional().describe('A scope that the token must carry.'),
            subject: text().optional().describe('Required value of `sub`.'),
          })
          .refine(
            (jwt) => (jwt.jwksUrl === undefined) !== (jwt.jwksFile === undefined),
            always('needs exactly one of jwksUrl and jwksFile'),
          ),
      }),
    ],
    { error: 'must be { basic: … } or { jwt: … }' },
  )

const behindProxy = z
  .boolean()
  .default(false)
  .describe('A balancer in front ends TLS. With neither this nor `tls`, only loopback is listened on.')
