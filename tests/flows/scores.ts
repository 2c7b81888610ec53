import { createHash } from 'node:crypto'
import { type MessageDetails, showMessage } from '@tieline/journal/operations'
import { startRun } from '@tieline/journal/transfers/runs'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, type PipelineOptions, startPipeline } from '@tieline/testkit/pipeline'
import { inject } from 'vitest'
import type { ScorePlace } from './score-places.ts'

/** The message of the transfer. */
export const key = 'device-score.DACS_FILES.nightly'

export const transfer = { name: 'nightly', source: 'DACS_FILES' }

/** Runs when a test says so: the schedule never comes. */
export const deviceScore = [
  { ...transfer, target: 'DERMS_SITE1', schedule: '0 0 29 2 *', timezone: 'America/Los_Angeles' },
]

type Changes = Partial<Pick<PipelineOptions, 'sections' | 'lookups' | 'tuning' | 'logger' | 'services' | 'connection'>>

/** The worker of score files on a place of files, and the notifier. */
export const openTransfer = (
  { connection, properties }: Pick<ScorePlace, 'connection' | 'properties'>,
  { sections, lookups, ...changes }: Changes = {},
): Promise<Pipeline> =>
  startPipeline({
    redisUrl: inject('redisUrl'),
    services: ['device-score', 'notifier'],
    connections: { DACS_FILES: connection },
    sections: { deviceScore, ...sections },
    lookups: { ConfigProps: `PropertyName,Value\n${properties}`, ...lookups },
    ...changes,
  })

const openStates: readonly string[] = ['accepted', 'waiting', 'processing', 'retrying']

/** Runs the transfer once and waits for its end. */
export async function runTransfer({ journal }: Pipeline, file?: string): Promise<MessageDetails> {
  const started = await startRun(journal, { transfer, who: 'test', ...(file !== undefined && { file }) })
  if (started.kind !== 'started') throw new Error(`No run was started: ${started.kind}`)
  return untilEnded({ journal }, started.generation)
}

/** The transfer when a run of it has ended. */
export const untilEnded = ({ journal }: Pick<Pipeline, 'journal'>, generation: number): Promise<MessageDetails> =>
  eventually(async () => {
    const details = await showMessage(journal, key)
    return details && details.generation >= generation && !openStates.includes(details.state) ? details : undefined
  }, 100_000)

/** What DERMS took: name and SHA-256 of each file, in order. */
export const taken = ({ derms }: Pipeline) => derms.scoreFiles.map(({ name, sha256 }) => [name, sha256] as const)

export const fileOf = (name: string, content: string) =>
  [name, createHash('sha256').update(content).digest('hex')] as const

/** Subjects of the mails, without what they all begin with. */
export const subjects = ({ mailbox }: Pipeline) =>
  mailbox.mails.map(({ subject }) => subject.replace(/^\[.*?\] (F8 Device score transfer: )?/, '')).sort()

/** Waits until so many mails came. */
export const untilMails = (pipeline: Pipeline, count: number) =>
  eventually(() => (pipeline.mailbox.mails.length >= count ? subjects(pipeline) : undefined))
