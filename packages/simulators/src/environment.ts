import { z } from 'zod'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const user = (fallback: string) => z.string().min(1).default(fallback)

const schema = z.object({
  SIMULATOR_HOST: z.string().default('127.0.0.1').describe('Address to listen at.'),
  DACS_SIMULATOR_PORT: port(8101).describe('DACS; 0 takes any free port, as with the others.'),
  DERMS_SIMULATOR_PORT: port(8102).describe('DERMS.'),
  TOKEN_ISSUER_PORT: port(8103).describe('Identity provider: /token and /jwks.'),
  MAILBOX_CONTROL_PORT: port(8104).describe('List of the mails: /control/mails.'),
  MAILBOX_PORT: port(8125).describe('SMTP.'),
  INGRESS_URL: z.url().optional().describe('Where DACS and DERMS send to. Can be given later: POST /control/ingress.'),
  DACS_INBOUND_USER: user('dacs').describe('How DACS makes itself known to the ingress.'),
  DACS_INBOUND_PASSWORD: user('dacs'),
  DERMS_INBOUND_USER: user('derms').describe('How DERMS makes itself known to the ingress.'),
  DERMS_INBOUND_PASSWORD: user('derms'),
  DACS_USER: user('oic').describe('Who may call DACS.'),
  DACS_PASSWORD: user('oic'),
  DERMS_USER: user('oic').describe(
    'Who may call DERMS, by Basic or, as client id and secret, with a token of the issuer.',
  ),
  DERMS_PASSWORD: user('oic'),
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
