import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import { flowIds, flowSpec } from '@tieline/contracts/flows'
import type { Ticket } from '@tieline/journal/queues'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'

export const boardPath = '/queues'

interface BoardOptions {
  readonly queues: readonly Queue<Ticket>[]
  /** Shown at the top. */
  readonly title: string
  /** Shows no buttons and takes no actions. */
  readonly readOnly: boolean
}

/** Bull Board, without what would bypass the journal and without anything that a job could carry besides its key. */
export function createBoard({ queues, title, readOnly }: BoardOptions): Hono {
  const serverAdapter = new HonoAdapter(serveStatic).setBasePath(boardPath)
  createBullBoard({
    queues: queues.map((queue) => maskedQueue(queue, readOnly)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: title,
        hideRedisDetails: true,
        hideDocsLink: true,
        miscLinks: [
          { text: 'Failure codes', url: '/failures' },
          { text: 'Log out', url: '/logout' },
        ],
      },
      handlerHooks: {
        before: async ({ method, route, request }) => {
          if (method === 'get' || (await isOffered(route, request))) return
          return {
            allow: false,
            status: 403,
            message: 'Tieline does not offer this: the journal decides when jobs run',
          }
        },
      },
    },
  })
  return new Hono().route(boardPath, serverAdapter.registerPlugin())
}

function maskedQueue(queue: Queue<Ticket>, readOnlyMode: boolean): BullMQAdapter {
  const flow = flowIds.map(flowSpec).find((spec) => spec.queue === queue.name)
  const options = {
    readOnlyMode,
    // The adapter does not declare this option, but its base class has it.
    allowCompletedRetries: false,
    description: `${flow?.code} ${flow?.title}`,
    externalJobUrl: ({ data }: { data: Partial<Ticket> }) => ({
      displayText: 'What happened to the message',
      href: `/messages/${encodeURIComponent(data.key ?? '')}`,
    }),
  }
  const adapter = new BullMQAdapter(queue, options)
  adapter.setFormatter('data', (data: Partial<Ticket> | null) => ({ key: data?.key }))
  adapter.setFormatter('returnValue', () => null)
  adapter.setFormatter('progress', () => 0)
  return adapter
}

/**
 * The actions that are safe, and the states of the jobs that they may touch. Retrying a failed job resubmits its dead
 * letter; removing it takes only the ticket away. All else (adding, editing, promoting, emptying) would be undone by the
 * journal or would trouble it.
 */
const offered: Readonly<Record<string, readonly string[]>> = {
  '/api/queues/:queueName/pause': [],
  '/api/queues/:queueName/resume': [],
  '/api/queues/:queueName/retry/:queueStatus': ['failed'],
  '/api/queues/:queueName/clean/:queueStatus': ['failed', 'completed'],
  '/api/queues/:queueName/:jobId/retry': ['failed'],
  '/api/queues/:queueName/:jobId/clean': ['failed', 'completed'],
}

interface BoardRequest {
  readonly params: Readonly<Record<string, string | undefined>>
  readonly queues: ReadonlyMap<
    string,
    { getJob(id: string): Promise<{ getState(): Promise<string> } | undefined | null> }
  >
}

async function isOffered(route: string, { params, queues }: BoardRequest): Promise<boolean> {
  const states = offered[route]
  if (states === undefined) return false
  if (states.length === 0) return true
  const { queueName = '', queueStatus, jobId = '' } = params
  if (queueStatus !== undefined) return states.includes(queueStatus)
  const job = await queues.get(queueName)?.getJob(jobId)
  // Bull Board itself answers 404 for what is not there.
  return !job || states.includes(await job.getState())
}
