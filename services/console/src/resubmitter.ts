import { rerunAll } from '@tieline/journal/bulk'
import type { Journal } from '@tieline/journal/journal'
import { nameResubmitter, summarize } from '@tieline/journal/operations'
import { boardPath } from './board.ts'

const oneJob = new RegExp(`^${boardPath}/api/queues/([^/]+)/([^/]+)/retry$`)
const allFailed = new RegExp(`^${boardPath}/api/queues/([^/]+)/retry/failed$`)

/** Before Bull Board retries one job: leaves the user's name with its dead letter, for the audit. */
export async function leaveName(journal: Journal, path: string, who: string): Promise<void> {
  const [, queueName, jobId = ''] = oneJob.exec(path) ?? []
  const job = await findQueue(journal, queueName)?.getJob(jobId)
  if (job) await nameResubmitter(journal, [job.data.key], who)
}

/**
 * In place of Bull Board's "Retry all", which retries the newest first: the messages of a line run in the order of their first
 * acceptance.
 * @returns what Bull Board answers; undefined when the path asks for something else
 */
export async function retryAll(
  journal: Journal,
  path: string,
  who: string,
): Promise<{ retried: number; skipped: number } | undefined> {
  const queue = findQueue(journal, allFailed.exec(path)?.[1])
  if (queue === undefined) return undefined
  const jobs = await queue.getFailed()
  const found = await summarize(journal, [...new Set(jobs.flatMap((job) => job?.data.key ?? []))])
  const failed = found.filter(({ state }) => state === 'dead' || state === 'refused')
  const { done } = await rerunAll(journal, failed, { who, why: 'Retry all', onlyFailed: true })
  return { retried: done, skipped: jobs.length - done }
}

const findQueue = (journal: Journal, name: string | undefined) =>
  journal.queues.all.find((queue) => queue.name === name)
