import { z } from 'zod'
import { ConfigurationError } from './configuration-error.ts'
import { faultsOf } from './faults.ts'
import { type LogLevel, logLevels } from './logger.ts'

/** A key that payloads at rest are encrypted with: AES-256, so 32 bytes. */
export interface PayloadKey {
  readonly id: string
  readonly key: Buffer
}

/** What a process is told by its environment; everything about the installation is in the file that `configFile` names. */
export interface Environment {
  /** Absent: an embedded Redis, where the command can start one. */
  readonly redisUrl?: string
  /** Memory of the embedded Redis as Redis writes it, such as `512mb`. Absent: half of what the machine has. */
  readonly redisMaxMemory?: string
  readonly configFile: string
  readonly ingressPort: number
  readonly consolePort: number
  readonly billsPort: number
  /** Where agents dial in. */
  readonly gatewayPort: number
  readonly gatewayWorkersPort: number
  readonly gatewayWorkersHost: string
  /** 0: any free port. */
  readonly metricsPort: number
  readonly metricsHost: string
  readonly logLevel: LogLevel
  readonly dataDir: string
  /** The first encrypts, all decrypt. Empty: payloads are not encrypted. */
  readonly payloadKeys: readonly PayloadKey[]
  readonly allowVolatileRedis: boolean
  /** Where traces go, OTLP over HTTP. Absent: nothing is traced. */
  readonly traceEndpoint?: string
}

/**
 * Reads the environment once and completely. An empty variable counts as not set.
 * @throws ConfigurationError naming every faulty variable and its rule, never a value
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = environmentSchema.safeParse(set)
  if (!parsed.success) throw new ConfigurationError('The environment has faults', faultsOf(parsed.error))
  const e = parsed.data
  return {
    ...(e.REDIS_URL === undefined ? {} : { redisUrl: e.REDIS_URL }),
    ...(e.REDIS_MAXMEMORY === undefined ? {} : { redisMaxMemory: e.REDIS_MAXMEMORY }),
    configFile: e.TIELINE_CONFIG,
    ingressPort: e.INGRESS_PORT,
    consolePort: e.CONSOLE_PORT,
    billsPort: e.BILLS_PORT,
    gatewayPort: e.GATEWAY_PORT,
    gatewayWorkersPort: e.GATEWAY_WORKERS_PORT,
    gatewayWorkersHost: e.GATEWAY_WORKERS_HOST,
    metricsHost: e.METRICS_HOST,
    metricsPort: e.METRICS_PORT,
    logLevel: e.LOG_LEVEL,
    dataDir: e.DATA_DIR,
    payloadKeys: e.TIELINE_PAYLOAD_KEYS,
    allowVolatileRedis: e.TIELINE_ALLOW_VOLATILE_REDIS === '1',
    ...(e.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? {} : { traceEndpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT }),
  }
}

export const defaultConfigFile = './config/tieline.yaml'

const port = (usual: number) => z.coerce.number().int().min(0).max(65_535).default(usual)

/** Every variable with its rule, default and description; the configuration page is generated from it. */
export const environmentSchema = z.object({
  REDIS_URL: z
    .string()
    .regex(
      /^(redis|rediss|redis\+unix|redis-sentinel|redis-cluster):\/\/\S+$/,
      'must begin with redis://, rediss://, redis+unix://, redis-sentinel:// or redis-cluster://',
    )
    .optional()
    .describe('Redis: `redis://`, `rediss://`, `redis+unix://`, `redis-sentinel://` or `redis-cluster://`.'),
  REDIS_MAXMEMORY: z
    .string()
    .regex(/^\d+([kmg]b?)?$/i, 'must be a number of bytes, or one with kb, mb or gb after it')
    .optional()
    .describe(
      'Memory that the data of the embedded Redis may take, such as `2gb`; 0: no limit. Not set: half of the memory of the machine, or of the container. At 80 % the ingress stops accepting. With `REDIS_URL` it has no effect.',
    ),
  TIELINE_CONFIG: z.string().default(defaultConfigFile).describe('The installation file.'),
  INGRESS_PORT: port(8080).describe('Port of the ingress.'),
  CONSOLE_PORT: port(8090).describe('Port of the console.'),
  BILLS_PORT: port(8070).describe('Port of the bill download.'),
  GATEWAY_PORT: port(8443).describe('Port of the gateway that agents dial in at.'),
  GATEWAY_WORKERS_PORT: port(8061).describe('Port of the gateway that workers reach agents through.'),
  GATEWAY_WORKERS_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address of that port; `0.0.0.0` where workers run on other hosts, inside a network that is yours.'),
  METRICS_PORT: port(0).describe('Port of metrics and health, one per process; 0: any free port, which is logged.'),
  METRICS_HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'Address that metrics and health listen at. Nobody has to log in there, so others than this machine are let in deliberately: 0.0.0.0.',
    ),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least level that is logged.'),
  DATA_DIR: z
    .string()
    .default('./data')
    .describe('Folder of the embedded Redis and, unless the file says otherwise, of payloads.'),
  TIELINE_PAYLOAD_KEYS: z
    .string()
    .transform(parsePayloadKeys)
    .default([])
    .describe(
      'Keys that encrypt payloads at rest, `id:base64` separated by commas, 32 bytes each. The first encrypts, all decrypt.',
    ),
  TIELINE_ALLOW_VOLATILE_REDIS: z
    .enum(['0', '1'])
    .default('0')
    .describe('1: start although Redis may forget or evict what was accepted. Never in production.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must begin with http:// or https://' })
    .optional()
    .describe(
      'Collector of OpenTelemetry traces, OTLP over HTTP, such as `http://collector:4318`. Not set: nothing is traced. With it, `OTEL_EXPORTER_OTLP_HEADERS` and the other variables of the exporter apply.',
    ),
})

function parsePayloadKeys(text: string, context: z.RefinementCtx): PayloadKey[] {
  const keys = text.split(',').map((entry, index): PayloadKey => {
    const [, id = '', base64 = ''] = /^\s*([\w-]{1,32}):([A-Za-z0-9+/]+={0,2})\s*$/.exec(entry) ?? []
    const key = Buffer.from(base64, 'base64')
    if (id === '' || key.length !== 32) {
      context.addIssue(`key ${index + 1} must be id:base64, with 1 to 32 letters, digits, "_" or "-" and with 32 bytes`)
    }
    return { id, key }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) context.addIssue('must not hold an id twice')
  return keys
}
