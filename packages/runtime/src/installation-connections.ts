import { z } from 'zod'
import { authField } from './installation-auth.ts'
import {
  always,
  connectionTlsField,
  type FileField,
  httpUrl,
  isHttpUrl,
  proxyField,
  text,
  viaField,
  whole,
} from './installation-fields.ts'

/** Operations of DACS and DERMS whose address can differ from the usual one below `baseUrl`. */
const dacsOperations = [
  'enrollProgram',
  'updateSyncRequest',
  'postDeviceStatus',
  'createProgramEvent',
  'actionProgramEvent',
  'reserveDevice',
  'postEventOutcome',
  'healthCheck',
] as const
const dermsOperations = [
  'enroll',
  'statusCheck',
  'eventReservationAck',
  'deviceOutcomeAck',
  'deviceScore',
  'catalog',
  'openapi',
] as const

/** Section `connections`: the far sides, by the names that the Routing lookup uses. */
export function connectionsSection(file: FileField) {
  const connection = z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('dacs'),
      baseUrl: httpUrl().describe('Root of the REST API, such as `https://host/tenant/domain/dac/rest/apis`.'),
      ...httpFields(file, dacsOperations),
      acceptDegradedHealth: z
        .boolean()
        .default(false)
        .describe('Treat health check 203 (a function that is not critical is degraded) as healthy.'),
    }),
    z.strictObject({
      kind: z.literal('derms'),
      baseUrl: httpUrl().describe('Root of the REST API, such as `https://host/nms-drms/rest/v1`.'),
      ...httpFields(file, dermsOperations),
    }),
    z
      .strictObject({
        kind: z.literal('sftp'),
        host: text().describe('Host name or address.'),
        port: whole(1, 65_535).default(22).describe('TCP port.'),
        username: text().describe('User name.'),
        password: text().optional().describe('Password; either this or `privateKeyFile`.'),
        privateKeyFile: file
          .optional()
          .describe('Private key, OpenSSH or PEM; either this or `password`. Read again when it changes.'),
        passphrase: text().optional().describe('Opens `privateKeyFile` where it is encrypted.'),
        hostKey: z
          .union([hostKeyField(), z.array(hostKeyField()).min(1, 'needs at least one fingerprint')], {
            error: hostKeyRule,
          })
          .describe(
            'Fingerprint of the server key as `ssh-keygen -l` prints it, or a list of them during a rotation. No server is trusted blindly.',
          ),
        proxy: proxyField(),
        via: viaField(),
      })
      .refine(
        (sftp) => (sftp.password === undefined) !== (sftp.privateKeyFile === undefined),
        always('needs exactly one of password and privateKeyFile'),
      )
      .refine(
        (sftp) => sftp.passphrase === undefined || sftp.privateKeyFile !== undefined,
        always('needs privateKeyFile for its passphrase'),
      ),
    ociConnection(file),
    z.strictObject({
      kind: z.literal('s3'),
      endpoint: httpUrl().describe(
        'Address of a storage that speaks S3, such as `https://s3.eu-central-1.amazonaws.com`.',
      ),
      region: text().default('us-east-1').describe('Region of the bucket; for storages without regions as it is.'),
      accessKeyId: text().describe('Access key.'),
      secretAccessKey: text().describe('Secret that belongs to the access key.'),
      sessionToken: text().optional().describe('Session token, of temporary credentials.'),
      addressing: z
        .enum(['path', 'host'])
        .default('path')
        .describe('Where the bucket stands: `path` is `https://endpoint/bucket`, `host` is `https://bucket.endpoint`.'),
      tls: connectionTlsField(file)
        .optional()
        .describe('Private CA and client certificate. Verification is always on.'),
      proxy: proxyField(),
    }),
    z.strictObject({
      kind: z.literal('directory'),
      path: file.describe('Directory of this machine, such as a mounted share.'),
    }),
  ])

  return z
    .record(z.string(), connection)
    .describe('The far sides. Each name is what the lookup Routing refers to; a connection has one of six kinds.')
}

/** What DACS and DERMS connections have in common. */
const httpFields = <const Operations extends readonly [string, ...string[]]>(
  file: FileField,
  operations: Operations,
) => ({
  paths: z
    .partialRecord(z.enum(operations), pathField())
    .default({})
    .describe(
      `Other paths per operation (${operations.join(', ')}), relative to \`baseUrl\` or absolute. What stands in braces in the usual path, such as \`{syncRequestId}\`, stands in the other too.`,
    ),
  fieldNames: z
    .partialRecord(z.enum(operations), z.record(text(), text()))
    .default({})
    .describe('Per operation, name of a field as Tieline sends it to its name there; at any depth of what is sent.'),
  auth: authField(file).describe('How Tieline logs in there: `none`, `basic` or `oauth2`.'),
  tls: connectionTlsField(file).optional().describe('Private CA and client certificate. Verification is always on.'),
  timeoutMs: whole(100, 300_000)
    .default(30_000)
    .describe('Longest time for one call, its answer included, in milliseconds.'),
  concurrency: whole(1, 256).default(16).describe('Calls in flight per process.'),
  proxy: proxyField(),
  via: viaField(),
})

/** Keys of a user's login; an instance and a resource know who they are. */
const userKeys = ['tenancy', 'user', 'fingerprint', 'privateKeyFile'] as const

const ociConnection = (file: FileField) =>
  z
    .strictObject({
      kind: z.literal('oci-object-storage'),
      endpoint: httpUrl().describe('Object Storage endpoint of the region.'),
      principal: z
        .enum(['user', 'instance', 'resource'])
        .default('user')
        .describe(
          'Who calls: a user by an API key, or the instance or resource of Oracle Cloud Infrastructure that Tieline runs on.',
        ),
      tenancy: ocid('tenancy').optional().describe('OCID of the tenancy; of a user.'),
      user: ocid('user').optional().describe('OCID of the API user.'),
      fingerprint: z
        .string()
        .regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){15}$/, 'must be 16 pairs of hexadecimal digits with colons between')
        .optional()
        .describe('Fingerprint of the API key of a user.'),
      privateKeyFile: file.optional().describe('Private API key of a user, PEM. Read again when it changes.'),
      proxy: proxyField(),
    })
    .refine(
      (oci) => oci.principal !== 'user' || userKeys.every((key) => oci[key] !== undefined),
      always(`needs ${userKeys.join(', ')}, or another principal`),
    )
    .refine(
      (oci) => !['instance', 'resource'].includes(oci.principal) || userKeys.every((key) => oci[key] === undefined),
      always(`must not have ${userKeys.join(', ')}: they are a user's`),
    )

const hostKeyRule = 'must be the fingerprint of the host key: SHA256: and 43 characters'
const hostKeyField = () => z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, hostKeyRule)

const pathField = () =>
  z
    .string()
    .refine(
      (path) => /^\S+$/.test(path) && (!path.includes('://') || isHttpUrl(path)),
      'must be a path or an http or https address, without blanks',
    )

const ocid = (kind: string) =>
  z.string().regex(new RegExp(`^ocid1\\.${kind}\\.\\S+$`), `must begin with ocid1.${kind}.`)
