import { flowIds } from '@tieline/contracts/flows'
import type { Journal } from './journal.ts'
import { type MessageFilter, matcherOf } from './message-list.ts'
import { type Dated, newestFirst } from './newest-first.ts'
import { type Done, discardDeadLetter, type Operator } from './operations.ts'
import { type KeptRefusal, readRefusals, refusalSet } from './refusals/refusals.ts'
import { type MessageSummary, summarize } from './summaries.ts'

/** Something that somebody has to look at: nothing more happens to it by itself. */
export type AttentionItem =
  | { readonly kind: 'dead' | 'acknowledgment' | 'refused'; readonly at: number; readonly message: MessageSummary }
  | { readonly kind: 'door'; readonly at: number; readonly refusal: KeptRefusal }

export type AttentionFilter = Omit<MessageFilter, 'states'>

const attentionStates = ['dead', 'refused'] as const

/**
 * Dead letters, refused messages, acknowledgments that were not delivered, and refusals at the door that nobody has discarded: the
 * latest first, in pages. A refusal at the door has no connection.
 */
export async function* attentionNewestFirst(
  journal: Journal,
  filter: AttentionFilter = {},
  firstPage?: number,
): AsyncGenerator<AttentionItem[]> {
  const { base, redis } = journal
  const flows = filter.flow ? [filter.flow] : flowIds
  const ofMessages = flows.flatMap((flow) => attentionStates.map((state) => `${base}:s:${flow}:${state}`))
  const ofRefusals = filter.connection === undefined ? flows.map((flow) => refusalSet(base, flow, 'unseen')) : []
  const doors = new Set(ofRefusals)
  const matches = matcherOf({ ...filter, states: attentionStates })
  const seen = new Set<string>()
  for await (const page of newestFirst(redis, [...ofMessages, ...ofRefusals], filter, firstPage)) {
    const fresh = page.filter(({ member }) => !seen.has(member))
    for (const { member } of fresh) seen.add(member)
    yield (await readItems(journal, fresh, doors)).filter((item) =>
      matches(item.kind === 'door' ? asMessage(item.refusal) : item.message),
    )
  }
}

async function readItems(
  journal: Journal,
  page: readonly Dated[],
  doors: ReadonlySet<string>,
): Promise<AttentionItem[]> {
  const keysOf = (door: boolean) => page.filter(({ set }) => doors.has(set) === door).map(({ member }) => member)
  const [messages, refusals] = await Promise.all([
    summarize(journal, keysOf(false)),
    readRefusals(journal, keysOf(true)),
  ])
  const messageOf = new Map(messages.map((message) => [message.key, message]))
  const refusalOf = new Map(refusals.map((refusal) => [refusal.id, refusal]))
  return page.flatMap(({ member, at }): AttentionItem[] => {
    const refusal = refusalOf.get(member)
    if (refusal) return [{ kind: 'door', at, refusal }]
    const message = messageOf.get(member)
    return message ? [{ kind: kindOf(message), at, message }] : []
  })
}

const kindOf = ({ state, flow }: MessageSummary) => {
  if (state === 'refused') return 'refused'
  return flow === 'acknowledgment' ? 'acknowledgment' : 'dead'
}

/** What a filter looks at. */
const asMessage = ({ code, client, instance = '' }: KeptRefusal) =>
  ({ state: 'refused', code, client, instance, connections: [] }) as const

/** Gives up what needs attention: a dead letter, a refused message, or a refusal at the door by its id. */
export async function discardAttention(journal: Journal, key: string, { who, why }: Operator): Promise<Done> {
  if (await journal.redis.exists(`${journal.base}:dr:${key}`)) return journal.run('dismiss', { key, who, why })
  return discardDeadLetter(journal, key, { who, why }, true)
}
