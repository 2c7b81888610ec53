import { flowSpec } from '@tieline/contracts/flows'
import { workerSilentMs } from '@tieline/journal/intake'
import type { Journal } from '@tieline/journal/journal'
import { countMessages, type FlowCounts } from '@tieline/journal/operations'
import { openStates } from '@tieline/journal/types'
import { formatTable } from '../table.ts'
import { formatAge } from '../times.ts'
import { type Command, defineCommand } from './command.ts'

const status = defineCommand({
  name: 'flows status',
  usage: '[--json]',
  summary: 'For each flow: messages by state, the oldest open one, its worker, and the jobs of its queue.',
  options: { json: { type: 'boolean' } },
  async run({ values, tools }) {
    const flows = await readStatus(await tools.journal())
    tools.print(values.json ? JSON.stringify(flows, null, 2) : formatStatus(flows, Date.now()))
  },
})

interface FlowStatus extends FlowCounts {
  readonly queue: { readonly paused: boolean; readonly jobs: Readonly<Record<string, number>> }
}

async function readStatus(journal: Journal): Promise<FlowStatus[]> {
  const counts = await countMessages(journal)
  return Promise.all(
    counts.map(async (flow) => {
      const queue = journal.queues.all.find(({ name }) => name === flowSpec(flow.flow).queue)
      if (queue === undefined) throw new Error(`No queue for flow ${flow.flow}`)
      const [jobs, paused] = await Promise.all([
        queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
        queue.isPaused(),
      ])
      return { ...flow, queue: { paused, jobs } }
    }),
  )
}

export function formatStatus(flows: readonly FlowStatus[], nowMs: number): string {
  const titles = ['flow', '', 'open', 'retrying', 'dead', 'succeeded', 'refused', 'oldest open', 'worker']
  return formatTable(
    [...titles, 'queue', 'waiting', 'active', 'delayed', 'failed'],
    flows.map(({ flow, counts, oldestOpenAt, workerSeenAt, queue }) => [
      flowSpec(flow).code,
      flow,
      String(openStates.reduce((sum, state) => sum + counts[state], 0)),
      ...[counts.retrying, counts.dead, counts.succeeded, counts.refused].map(String),
      oldestOpenAt === undefined ? '' : formatAge(nowMs - oldestOpenAt),
      formatWorker(workerSeenAt, nowMs),
      queue.paused ? 'paused' : 'runs',
      ...['waiting', 'active', 'delayed', 'failed'].map((state) => String(queue.jobs[state] ?? 0)),
    ]),
  )
}

function formatWorker(seenAt: number | undefined, nowMs: number): string {
  if (seenAt === undefined) return 'never seen'
  return nowMs - seenAt < workerSilentMs ? 'alive' : `silent for ${formatAge(nowMs - seenAt)}`
}

export const flowCommands: readonly Command[] = [status]
