import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type FlowId, type FlowSpec, flowSpec } from '@tieline/contracts/flows'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigurationError } from './configuration-error.ts'
import { type Fault, faultsOf, missingIsRequired } from './faults.ts'
import { throughAgents } from './installation-agents.ts'
import { crossFaults } from './installation-checks.ts'
import { installationSchema } from './installation-schema.ts'
import { resolveReferences } from './references.ts'

/** An installation: what its YAML file says, with references replaced, defaults filled in and file names absolute. */
export type Installation = z.infer<ReturnType<typeof installationSchema>>

export type Connection = Installation['connections'][string]
export type Client = Installation['ingress']['clients'][number]

/**
 * Reads the installation file.
 * @throws ConfigurationError naming every fault with its path and rule, never a value
 */
export async function loadInstallation(file: string, env: NodeJS.ProcessEnv): Promise<Installation> {
  const yamlText = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const rule = `cannot be read (${error.code ?? 'unknown'}); TIELINE_CONFIG names the file`
    throw new ConfigurationError('The installation file cannot be used', [{ path: file, rule }])
  })
  return parse(yamlText, env, dirname(resolve(file)), file)
}

/**
 * Reads an installation from text. `${NAME}` comes from `env`, relative file names begin at `baseDir`.
 * @throws ConfigurationError naming every fault with its path and rule, never a value
 */
export const parseInstallation = (yamlText: string, env: NodeJS.ProcessEnv, baseDir: string): Installation =>
  parse(yamlText, env, baseDir, 'The installation file')

/** The catalogue's entry of a flow with the numbers that this installation sets differently. */
export function effectiveFlow(id: FlowId, installation: Pick<Installation, 'flows'>): FlowSpec {
  const spec = flowSpec(id)
  const set: Partial<Record<'retryForS' | 'alarmAfterS' | 'replyWithinS' | 'segmentRows', number | undefined>> =
    installation.flows[id] ?? {}
  const segmentRows = set.segmentRows ?? spec.segmentRows
  const alarmAfterS = set.alarmAfterS ?? spec.retry.alarmAfterS
  return {
    ...spec,
    ...(segmentRows !== undefined && { segmentRows }),
    replyWithinS: set.replyWithinS ?? spec.replyWithinS,
    retry: {
      ...spec.retry,
      retryForS: set.retryForS ?? spec.retry.retryForS,
      ...(alarmAfterS !== undefined && { alarmAfterS }),
    },
  }
}

function parse(yamlText: string, env: NodeJS.ProcessEnv, baseDir: string, subject: string): Installation {
  const document = resolveReferences(parseYaml(yamlText, subject), { env, baseDir })
  const schema = installationSchema({ baseDir, dataDir: env.DATA_DIR || './data' })
  const parsed = schema.safeParse(document.value, { error: missingIsRequired })
  const faults = [...document.faults, ...withoutThoseOf(document.faults, parsed, document.value)]
  if (parsed.success && faults.length === 0) return throughAgents(parsed.data)
  throw new ConfigurationError(`${subject} has faults`, faults)
}

/** Faults of the document, but not where a reference failed: what stands there was not meant as the value. */
function withoutThoseOf(
  references: readonly Fault[],
  parsed: z.ZodSafeParseResult<unknown>,
  document: unknown,
): Fault[] {
  const failed = new Set(references.map(({ path }) => path))
  return [...(parsed.success ? [] : faultsOf(parsed.error)), ...crossFaults(document)].filter(
    ({ path }) => !failed.has(path),
  )
}

/** The parser's own messages quote the text, so faults of syntax are told by place and code only. */
function parseYaml(yamlText: string, subject: string): unknown {
  const lines = new LineCounter()
  const document = parseDocument(yamlText, { prettyErrors: false, lineCounter: lines })
  const faults = [...document.errors, ...document.warnings].map(({ code, pos }): Fault => {
    const { line, col } = lines.linePos(pos[0])
    return { path: `line ${line}, column ${col}`, rule: code.toLowerCase().replaceAll('_', ' ') }
  })
  if (faults.length > 0) throw new ConfigurationError(`${subject} is not valid YAML`, faults)
  try {
    return document.toJS()
  } catch {
    throw new ConfigurationError(`${subject} is not valid YAML`, [{ path: '(document)', rule: 'has a bad alias' }])
  }
}
