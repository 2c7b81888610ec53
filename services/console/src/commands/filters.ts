import { type FailureCode, failures } from '@tieline/contracts/failures'
import { type FlowId, flowIds, flowSpec } from '@tieline/contracts/flows'
import type { Span } from '@tieline/journal/newest-first'
import { type State, states } from '@tieline/journal/schema'
import { parseSince } from '../times.ts'
import { UsageError } from './command.ts'

/** What narrows a list, each by a word of its own or as a part of `--filter`. */
export interface Filter extends Span {
  readonly flow?: FlowId
  readonly state?: State
  readonly code?: FailureCode
  readonly client?: string
  readonly instance?: string
  readonly connection?: string
  readonly limit?: number
}

const names = ['flow', 'code', 'client', 'instance', 'connection', 'since', 'until'] as const

type Given = Readonly<Partial<Record<(typeof names)[number] | 'state' | 'limit', string | undefined>>>

const text = { type: 'string' } as const

/** Options of every list that can be narrowed. */
export const filterOptions = {
  flow: text,
  code: text,
  client: text,
  instance: text,
  since: text,
  until: text,
} as const

export const filterUsage =
  '[--flow <flow>] [--code <code>] [--client <client>] [--instance <id>] [--since <2h | time>] [--until <2h | time>]'

/** A message has gone, or would go, on a connection. */
export const messageFilterOptions = { ...filterOptions, connection: text } as const

export const messageFilterUsage = `${filterUsage} [--connection <name>]`

/**
 * Reads what narrows a list.
 * @throws UsageError naming what can be said instead
 */
export function readFilter({ flow, state, since, until, code, client, instance, connection, limit }: Given): Filter {
  return {
    ...(flow !== undefined && { flow: readFlow(flow) }),
    ...(state !== undefined && { state: readState(state) }),
    ...(since !== undefined && { since: readTime('since', since) }),
    ...(until !== undefined && { until: readTime('until', until) }),
    ...(code !== undefined && { code: readCode(code) }),
    ...(client !== undefined && { client }),
    ...(instance !== undefined && { instance }),
    ...(connection !== undefined && { connection }),
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

/** What a bulk command takes. */
export const bulkFilterUsage = names.map((name) => `${name}=…`).join(',')

/**
 * Reads `flow=…,code=…,since=…` of a bulk command.
 * @throws UsageError also for an empty filter: everything at once has to be said
 */
export function readBulkFilter(given: string): Filter {
  const parts = given.split(',').map((part) => part.split('=', 2).map((word) => word.trim()))
  for (const [name, value] of parts) {
    if (!names.some((one) => one === name) || !value) {
      throw new UsageError(`--filter takes ${bulkFilterUsage}`)
    }
  }
  return readFilter(Object.fromEntries(parts) as Given)
}

function readFlow(text: string): FlowId {
  const flow = flowIds.find((id) => id === text || flowSpec(id).code === text.toUpperCase())
  if (flow === undefined) throw new UsageError(`There is no such flow; there are ${flowIds.join(', ')}`)
  return flow
}

function readState(text: string): State {
  const state = states.find((one) => one === text)
  if (state === undefined) throw new UsageError(`There is no such state; there are ${states.join(', ')}`)
  return state
}

function readTime(name: string, text: string): number {
  const at = parseSince(text, Date.now())
  if (at === undefined) throw new UsageError(`${name} takes 90s, 30m, 2h, 3d or an ISO 8601 time`)
  return at
}

function readCode(text: string): FailureCode {
  if (!Object.hasOwn(failures, text)) throw new UsageError(`There is no such code; docs/failures.md lists them`)
  return text as FailureCode
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError('--limit takes a number from 1 to 999999')
  return Number(text)
}
