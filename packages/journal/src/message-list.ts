import { type FlowId, flowIds } from '@tieline/contracts/flows'
import type { Journal } from './journal.ts'
import { newestFirst, type Span } from './newest-first.ts'
import { type State, states } from './schema.ts'
import { type MessageSummary, summarize } from './summaries.ts'

/** What narrows a list of messages. A span is that of the last change of state. */
export interface MessageFilter extends Span {
  readonly flow?: FlowId | undefined
  readonly states?: readonly State[] | undefined
  /** Failure code. */
  readonly code?: string | undefined
  readonly client?: string | undefined
  readonly instance?: string | undefined
  readonly connection?: string | undefined
}

export interface ListFilter extends Omit<MessageFilter, 'states'> {
  readonly state?: State | undefined
  readonly limit?: number | undefined
}

/** Messages by state, the latest change first. */
export async function listMessages(
  journal: Journal,
  { state, limit = 100, ...filter }: ListFilter = {},
): Promise<MessageSummary[]> {
  const found: MessageSummary[] = []
  for await (const page of messagesNewestFirst(journal, { ...filter, ...(state && { states: [state] }) }, limit)) {
    found.push(...page)
    if (found.length >= limit) break
  }
  return found.slice(0, limit)
}

/** Messages by state, the latest change first, in pages; no more of the journal is read than is asked for. */
export async function* messagesNewestFirst(
  journal: Journal,
  filter: MessageFilter = {},
  firstPage?: number,
): AsyncGenerator<MessageSummary[]> {
  const { redis, base } = journal
  const sets = stateSets(base, filter)
  const seen = new Set<string>()
  const matches = matcherOf(filter)
  for await (const page of newestFirst(redis, sets, filter, firstPage)) {
    // One that changed its state meanwhile stands in two sets.
    const keys = page.map(({ member }) => member).filter((key) => !seen.has(key))
    for (const key of keys) seen.add(key)
    yield (await summarize(journal, keys)).filter(matches)
  }
}

/** How many messages there are in each of these states. Without a filter by client, instance, connection or code no message is read. */
export async function countByState(journal: Journal, filter: MessageFilter): Promise<Map<FlowId, Map<State, number>>> {
  const counts = new Map<FlowId, Map<State, number>>()
  const add = (flow: FlowId, state: State, count: number) => {
    const ofFlow = counts.get(flow) ?? new Map<State, number>()
    counts.set(flow, ofFlow.set(state, (ofFlow.get(state) ?? 0) + count))
  }
  if (!readsMessages(filter)) {
    const pairs = pairsOf(filter)
    const pipeline = journal.redis.pipeline()
    const { since = '-inf', until = '+inf' } = filter
    for (const { flow, state } of pairs) pipeline.zcount(stateSet(journal.base, flow, state), since, until)
    for (const [i, [error, count]] of ((await pipeline.exec()) ?? []).entries()) {
      const pair = pairs[i]
      if (error) throw error
      if (pair) add(pair.flow, pair.state, Number(count))
    }
    return counts
  }
  for await (const page of messagesNewestFirst(journal, filter)) {
    for (const { flow, state } of page) add(flow, state, 1)
  }
  return counts
}

const readsMessages = ({ code, client, instance, connection }: MessageFilter) =>
  [code, client, instance, connection].some((one) => one !== undefined)

/** What of a message a filter looks at, besides its flow and time. */
type Matched = Pick<MessageSummary, 'state' | 'code' | 'client' | 'instance' | 'connections'>

export const matcherOf =
  ({ states: wanted = states, code, client, instance, connection }: MessageFilter) =>
  (message: Matched): boolean =>
    wanted.includes(message.state) &&
    (code === undefined || message.code === code) &&
    (client === undefined || message.client === client) &&
    (instance === undefined || message.instance === instance) &&
    (connection === undefined || message.connections.includes(connection))

const pairsOf = ({ flow, states: wanted = states }: MessageFilter) =>
  (flow ? [flow] : flowIds).flatMap((id) => wanted.map((state) => ({ flow: id, state })))

const stateSet = (base: string, flow: FlowId, state: State) => `${base}:s:${flow}:${state}`

const stateSets = (base: string, filter: MessageFilter) =>
  pairsOf(filter).map(({ flow, state }) => stateSet(base, flow, state))
