import { flowSpec } from '@tieline/contracts/flows'
import type { AttentionItem } from '@tieline/journal/attention'
import { formatTable } from './table.ts'
import { formatAge, formatLocal } from './times.ts'

const kinds: Readonly<Record<AttentionItem['kind'], string>> = {
  dead: 'dead letter',
  refused: 'refused',
  acknowledgment: 'acknowledgment',
  door: 'refused at the door',
}

/** One line for each. */
export const formatItems = (items: readonly AttentionItem[]): string =>
  formatTable(
    ['key', 'what', 'flow', 'client', 'connection', 'code', 'since (local time)'],
    items.map((item) => {
      const { flow, client, code, connections } = factsOf(item)
      return [keyOf(item), kinds[item.kind], flow, client, connections, code, formatLocal(item.at)]
    }),
  )

/** How many there are of each kind, those of which there are most first. */
export function formatGroups(items: readonly AttentionItem[], nowMs: number): string {
  const groups = Map.groupBy(items, (item) => {
    const { flow, code, connections } = factsOf(item)
    return JSON.stringify([kinds[item.kind], flow, connections, code])
  })
  const ordered = [...groups].sort(([, one], [, other]) => other.length - one.length)
  return formatTable(
    ['count', 'what', 'flow', 'connection', 'code', 'oldest', 'latest'],
    ordered.map(([names, group]) => {
      const times = group.map(({ at }) => at)
      const [oldest = nowMs, latest = nowMs] = [times.reduce(min), times.reduce(max)]
      return [
        String(group.length),
        ...(JSON.parse(names) as string[]),
        formatAge(nowMs - oldest),
        formatAge(nowMs - latest),
      ]
    }),
  )
}

export const keyOf = (item: AttentionItem): string => (item.kind === 'door' ? item.refusal.id : item.message.key)

function factsOf(item: AttentionItem) {
  const { flow, client, code = '' } = item.kind === 'door' ? item.refusal : item.message
  const connections = item.kind === 'door' ? [] : item.message.connections
  return { flow: flowSpec(flow).code, client, code, connections: connections.join(', ') }
}

const min = (one: number, other: number) => Math.min(one, other)
const max = (one: number, other: number) => Math.max(one, other)
