import type { Journal } from '@tieline/journal/journal'
import { nameResubmitter } from '@tieline/journal/operations'
import { boardPath } from './board.ts'

const oneJob = new RegExp(`^${boardPath}/api/queues/([^/]+)/([^/]+)/retry$`)
const allFailed = new RegExp(`^${boardPath}/api/queues/([^/]+)/retry/failed$`)

/** Before Bull Board retries jobs: leaves the user's name with their dead letters, for the audit. */
export async function leaveName(journal: Journal, path: string, who: string): Promise<void> {
  const [, queueName, jobId] = oneJob.exec(path) ?? allFailed.exec(path) ?? []
  const queue = journal.queues.all.find(({ name }) => name === queueName)
  if (queue === undefined) return
  const jobs = jobId === undefined ? await queue.getFailed() : [await queue.getJob(jobId)]
  await nameResubmitter(
    journal,
    jobs.flatMap((job) => job?.data.key ?? []),
    who,
  )
}
