import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { faultsOf } from '@tieline/runtime/faults'
import { z } from 'zod'

export interface AgentSettings {
  readonly url: URL
  readonly name: string
  readonly token: string
  /** `host:port`, in lower case. */
  readonly allow: ReadonlySet<string>
  readonly proxy: string
  readonly caFile?: string | undefined
}

/** What the agent is told by its environment. @throws ConfigurationError naming every fault, never a value */
export function readAgentSettings(env: NodeJS.ProcessEnv): AgentSettings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(set)
  if (!parsed.success) throw new ConfigurationError('The environment has faults', faultsOf(parsed.error))
  const e = parsed.data
  return {
    url: new URL(e.TIELINE_AGENT_URL),
    name: e.TIELINE_AGENT_NAME,
    token: e.TIELINE_AGENT_TOKEN,
    allow: new Set(e.TIELINE_AGENT_ALLOW.split(',').map((entry) => entry.trim().toLowerCase())),
    proxy: e.TIELINE_AGENT_PROXY,
    caFile: e.TIELINE_AGENT_CA_FILE,
  }
}

const schema = z.object({
  TIELINE_AGENT_URL: z.url({ protocol: /^https$/, error: 'must be the https address of the gateway' }),
  TIELINE_AGENT_NAME: z.string('is required'),
  TIELINE_AGENT_TOKEN: z.string('is required'),
  TIELINE_AGENT_ALLOW: z
    .string('is required: the targets, host:port separated by commas')
    .regex(/^\s*[^\s,]+:\d+\s*(,\s*[^\s,]+:\d+\s*)*$/, 'must be host:port, separated by commas'),
  TIELINE_AGENT_PROXY: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .or(z.literal(''))
    .default(''),
  TIELINE_AGENT_CA_FILE: z.string().optional(),
})
