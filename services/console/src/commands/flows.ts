import { flowSpec } from '@tieline/contracts/flows'
import { workerSilentMs } from '@tieline/journal/intake'
import type { Journal } from '@tieline/journal/journal'
import { countByState } from '@tieline/journal/message-list'
import { countMessages, type FlowCounts } from '@tieline/journal/operations'
import { openStates, type State, states } from '@tieline/journal/schema'
import { formatTable } from '../table.ts'
import { formatAge } from '../times.ts'
import { type Command, defineCommand } from './command.ts'
import { type Filter, messageFilterOptions, messageFilterUsage, readFilter } from './filters.ts'

const status = defineCommand({
  name: 'flows status',
  usage: `${messageFilterUsage} [--json]`,
  summary:
    'For each flow: messages by state, the oldest open one, its worker, and the jobs of its queue. Narrowed, only the messages that match and came into their state in this time are counted.',
  options: { ...messageFilterOptions, json: { type: 'boolean' } },
  async run({ values, tools }) {
    const flows = await readStatus(await tools.journal(), readFilter(values))
    tools.print(values.json ? JSON.stringify(flows, null, 2) : formatStatus(flows, Date.now()))
  },
})

interface FlowStatus extends FlowCounts {
  readonly queue: { readonly paused: boolean; readonly jobs: Readonly<Record<string, number>> }
}

async function readStatus(journal: Journal, filter: Filter): Promise<FlowStatus[]> {
  const counts = await countMatching(journal, filter)
  return Promise.all(
    counts.map(async (flow) => {
      const queue = journal.queues.all.find(({ name }) => name === flowSpec(flow.flow).queue)
      if (queue === undefined) throw new Error(`No queue for flow ${flow.flow}`)
      const [jobs, paused] = await Promise.all([queue.getJobCounts(...jobStates), queue.isPaused()])
      return { ...flow, queue: { paused, jobs } }
    }),
  )
}

/** What a filter says nothing of is counted as it is, without a look at messages. */
async function countMatching(journal: Journal, filter: Filter): Promise<FlowCounts[]> {
  const all = await countMessages(journal)
  if (Object.keys(filter).length === 0) return all
  const matching = await countByState(journal, filter)
  return all
    .filter(({ flow }) => filter.flow === undefined || filter.flow === flow)
    .map((flow) => ({ ...flow, counts: countsOf(matching.get(flow.flow)) }))
}

const countsOf = (found: ReadonlyMap<State, number> | undefined) =>
  Object.fromEntries(states.map((state) => [state, found?.get(state) ?? 0])) as Record<State, number>

function formatStatus(flows: readonly FlowStatus[], nowMs: number): string {
  const titles = ['flow', '', 'open', ...states, 'oldest open', 'worker']
  return formatTable(
    [...titles, 'queue', ...jobStates.map((state) => `jobs ${state}`)],
    flows.map(({ flow, counts, oldestOpenAt, workerSeenAt, queue }) => [
      flowSpec(flow).code,
      flow,
      String(openStates.reduce((sum, state) => sum + counts[state], 0)),
      ...states.map((state) => String(counts[state])),
      oldestOpenAt === undefined ? '' : formatAge(nowMs - oldestOpenAt),
      formatWorker(workerSeenAt, nowMs),
      queue.paused ? 'paused' : 'runs',
      ...jobStates.map((state) => String(queue.jobs[state] ?? 0)),
    ]),
  )
}

const jobStates = ['waiting', 'active', 'delayed', 'failed'] as const

function formatWorker(seenAt: number | undefined, nowMs: number): string {
  if (seenAt === undefined) return 'never seen'
  return nowMs - seenAt < workerSilentMs ? 'alive' : `silent for ${formatAge(nowMs - seenAt)}`
}

export const flowCommands: readonly Command[] = [status]
