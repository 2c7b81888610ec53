import { z } from 'zod'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const text = (fallback: string) => z.string().min(1).default(fallback)

const schema = z.object({
  SIMULATOR_HOST: z.string().default('127.0.0.1').describe('Address to listen at.'),
  DACS_SIMULATOR_PORT: port(8101).describe('DACS; 0 takes any free port, as with the others.'),
  DERMS_SIMULATOR_PORT: port(8102).describe('DERMS.'),
  TOKEN_ISSUER_PORT: port(8103).describe('Identity provider: /token and /jwks.'),
  MAILBOX_CONTROL_PORT: port(8104).describe('The mails: / to read, /control/mails for programs.'),
  MAILBOX_PORT: port(8125).describe('SMTP.'),
  OBJECT_STORAGE_SIMULATOR_PORT: port(8105).describe('OCI Object Storage.'),
  SFTP_SIMULATOR_PORT: port(8122).describe('SFTP.'),
  FILES_CONTROL_PORT: port(8106).describe(
    'Drives the SFTP server and Object Storage: /sftp/control, /object-storage/control.',
  ),
  INGRESS_URL: z.url().optional().describe('Where DACS and DERMS send to. Can be given later: POST /control/ingress.'),
  DACS_INBOUND_USER: text('dacs').describe('How DACS makes itself known to the ingress.'),
  DACS_INBOUND_PASSWORD: text('dacs'),
  DERMS_INBOUND_USER: text('derms').describe('How DERMS makes itself known to the ingress.'),
  DERMS_INBOUND_PASSWORD: text('derms'),
  DACS_USER: text('oic').describe('Who may call DACS.'),
  DACS_PASSWORD: text('oic'),
  DERMS_USER: text('oic').describe(
    'Who may call DERMS, by Basic or, as client id and secret, with a token of the issuer.',
  ),
  DERMS_PASSWORD: text('oic'),
  SFTP_SIMULATOR_USER: text('tieline').describe('Who may log in to the SFTP server.'),
  SFTP_SIMULATOR_PASSWORD: text('tieline'),
  SFTP_SIMULATOR_DIRECTORY: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('scores')
    .describe('Folder of the SFTP server in which the files lie.'),
  OBJECT_STORAGE_NAMESPACE: text('tieline'),
  OBJECT_STORAGE_BUCKET: text('scores').describe('The only bucket.'),
  OBJECT_STORAGE_TENANCY: text('ocid1.tenancy.oc1..simulator'),
  OBJECT_STORAGE_USER: text('ocid1.user.oc1..simulator').describe(
    'Who may call Object Storage, with the key that is made at the start.',
  ),
  ACKNOWLEDGE_AFTER_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(1000)
    .describe('DERMS acknowledges F2 and F4 after this.'),
  RETRY_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('DERMS sends failed messages again after this.'),
})

export type SimulatorEnvironment = z.infer<typeof schema>

/** Settings of the stand-alone simulators. @throws Error that names every variable at fault, without values */
export function readSimulatorEnvironment(env: NodeJS.ProcessEnv): SimulatorEnvironment {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
}
