import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { never, TielineError } from '@tieline/runtime/error'
import type { Fault } from '@tieline/runtime/faults'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import type { Tracer } from '@tieline/runtime/telemetry'
import { Histogram, type Registry } from 'prom-client'
import { type AgentOptions, type Agents, createAgents } from './agents.ts'
import { readSigningKey } from './client-assertion.ts'
import { createDacsClient, type DacsClient, dacsOperations } from './dacs.ts'
import { createDermsClient, type DermsClient, dermsOperations } from './derms.ts'
import { type CallDurations, createHttpTarget } from './http-target.ts'
import { type Operations, pathsWithoutPlaceholder } from './operations.ts'
import { assertionKey } from './token-request.ts'

/** The far sides of an installation, by the names that the Routing lookup uses. */
export interface Connections extends AsyncDisposable {
  /** @throws TielineError `routing-missing` when there is no DACS connection of that name */
  dacs(name: string): DacsClient
  /** @throws TielineError `routing-missing` when there is no DERMS connection of that name */
  derms(name: string): DermsClient
  /** Every configured connection, also those that are no HTTP target. */
  readonly kinds: Readonly<Record<string, { readonly kind: string }>>
}

export interface ConnectionsDeps {
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** Where the durations of calls are counted. One set of connections per registry. */
  readonly metrics?: Registry | undefined
  readonly tracer?: Tracer | undefined
  /** How long a connection is held back after a 401 or 403. */
  readonly pauseMs?: number | undefined
  /** How often files of certificates are looked at. */
  readonly tlsReloadMs?: number | undefined
}

/**
 * Builds the clients of all DACS and DERMS connections. Nothing is called yet.
 * @throws ConfigurationError naming every path that cannot work and every certificate that cannot be read
 */
export async function createConnections(
  config: Installation['connections'],
  { logger, metrics, tracer, pauseMs = 60_000, tlsReloadMs }: ConnectionsDeps,
): Promise<Connections> {
  const connections = Object.entries(config)
  const faults: Fault[] = []
  await using resources = new AsyncDisposableStack()
  const observed = { durations: metrics && createDurations(metrics), tracer }
  const dacs = new Map<string, DacsClient>()
  const derms = new Map<string, DermsClient>()

  for (const [name, connection] of connections) {
    if (connection.kind !== 'dacs' && connection.kind !== 'derms') continue
    faults.push(...pathFaults(name, connection), ...(await loginFaults(name, connection)))
    const agents = await openAgents(name, { ...connection, tlsReloadMs, logger }, faults)
    if (agents === undefined) continue
    const onPause = () => logger.warn({ connection: name, pauseMs }, `Connection ${name} is paused after a 401 or 403`)
    const onStaleKey = (message: string) => logger.warn({ connection: name }, message)
    const target = createHttpTarget({
      ...connection,
      name,
      agents: resources.use(agents),
      pauseMs,
      onPause,
      onStaleKey,
      ...observed,
    })
    if (connection.kind === 'dacs') dacs.set(name, createDacsClient(target, connection))
    else derms.set(name, createDermsClient(target, connection))
  }
  if (faults.length > 0) throw new ConfigurationError('The connections cannot be used', faults)

  const owned = resources.move()
  return {
    dacs: (name) => dacs.get(name) ?? unknownConnection('DACS', name),
    derms: (name) => derms.get(name) ?? unknownConnection('DERMS', name),
    kinds: Object.fromEntries(connections.map(([name, { kind }]) => [name, { kind }])),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type HttpConnection = Extract<Installation['connections'][string], { kind: 'dacs' | 'derms' }>

function pathFaults(name: string, { kind, paths }: HttpConnection): Fault[] {
  const operations: Operations = kind === 'dacs' ? dacsOperations : dermsOperations
  return pathsWithoutPlaceholder(operations, paths).map((operation) => ({
    path: `connections.${name}.paths.${operation}`,
    rule: `needs the part in braces that ${operations[operation]?.path} has`,
  }))
}

/** A key that signs is read at each token; that it is there and fits is seen at the start. */
async function loginFaults(name: string, { auth }: HttpConnection): Promise<Fault[]> {
  const key = auth === 'none' || !('oauth2' in auth) ? undefined : assertionKey(auth.oauth2)
  if (key === undefined) return []
  try {
    await readSigningKey(key.file)
    return []
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not a key that signs'
    return [
      { path: `connections.${name}.auth.oauth2.privateKeyFile`, rule: `names a file that cannot be used (${code})` },
    ]
  }
}

async function openAgents(name: string, options: AgentOptions, faults: Fault[]): Promise<Agents | undefined> {
  try {
    return await createAgents(options)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not PEM'
    faults.push({ path: `connections.${name}.tls`, rule: `names a file that cannot be used (${code})` })
    return undefined
  }
}

export const createDurations = (registry: Registry): CallDurations =>
  new Histogram({
    name: 'tieline_target_call_duration_seconds',
    help: 'Duration of calls on targets. Status: HTTP status, or the failure code when there was no answer.',
    labelNames: ['connection', 'operation', 'status'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  })

function unknownConnection(kind: string, name: string): never {
  throw new TielineError('routing-missing', never, `There is no ${kind} connection "${name}"`)
}
