import { type FailureCode, failures } from '@tieline/contracts/failures'
import { type FlowId, flowIds, flowSpec } from '@tieline/contracts/flows'
import type { ListFilter } from '@tieline/journal/operations'
import { type State, states } from '@tieline/journal/types'
import { parseSince } from '../times.ts'
import { UsageError } from './command.ts'

type Given = Readonly<Partial<Record<'flow' | 'state' | 'since' | 'code' | 'limit', string | undefined>>>

/**
 * Reads what narrows a list.
 * @throws UsageError naming what can be said instead
 */
export function readFilter({ flow, state, since, code, limit }: Given): ListFilter {
  return {
    ...(flow !== undefined && { flow: readFlow(flow) }),
    ...(state !== undefined && { state: readState(state) }),
    ...(since !== undefined && { since: readSince(since) }),
    ...(code !== undefined && { code: readCode(code) }),
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

/**
 * Reads `flow=…,code=…,since=…` of a bulk command.
 * @throws UsageError also for an empty filter: everything at once has to be said
 */
export function readBulkFilter(text: string): ListFilter {
  const parts = text.split(',').map((part) => part.split('=', 2).map((word) => word.trim()))
  for (const [name, value] of parts) {
    if (!name || !['flow', 'code', 'since'].includes(name) || !value) {
      throw new UsageError('--filter takes flow=…, code=… and since=…, separated by commas')
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

function readSince(text: string): number {
  const since = parseSince(text, Date.now())
  if (since === undefined) throw new UsageError('since takes 90s, 30m, 2h, 3d or an ISO 8601 time')
  return since
}

function readCode(text: string): FailureCode {
  if (!Object.hasOwn(failures, text)) throw new UsageError(`There is no such code; docs/failures.md lists them`)
  return text as FailureCode
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError('--limit takes a number from 1 to 999999')
  return Number(text)
}
