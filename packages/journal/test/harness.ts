import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FlowId, type FlowSpec, flowSpec } from '@tieline/contracts/flows'
import type { MayCall } from '@tieline/runtime/call-target'
import { type Answer, backoff, CallError, never } from '@tieline/runtime/error'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { inject } from 'vitest'
import { createFilePayloadStore } from '../src/files/file-payload-store.ts'
import { createJournal, type Journal } from '../src/journal.ts'
import type { Attempt, Incoming, Processor, Settlement } from '../src/types.ts'
import { startWorkers, type WorkerOptions } from '../src/worker.ts'

export interface Tables {
  readonly version: number
}

export const key32 = { id: 'k1', key: Buffer.alloc(32, 7) }
export const logger = createLogger({ service: 'test', level: 'silent' })

interface HarnessOptions {
  redisUrl?: string
  installation?: string
  clock?: () => number
  payloadKeys?: (typeof key32)[]
}

/** A journal on an installation of its own, and workers on demand. */
export async function openHarness({
  redisUrl = inject('redisUrl'),
  installation = `j-${randomUUID()}`,
  clock,
  payloadKeys = [key32],
}: HarnessOptions = {}) {
  const cleanup = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-journal-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const redis = connectWorker(redisUrl, logger)
  cleanup.defer(() => redis.disconnect())
  const journal = cleanup.use(
    createJournal({
      redis,
      installation,
      payloadKeys,
      payloadStore: createFilePayloadStore(directory),
      retention: { messagesDays: 32, payloadHours: 24, replayHours: 24, auditDays: 365 },
      logger,
      ...(clock && { clock }),
    }),
  )
  return {
    redis,
    journal,
    installation,
    directory,
    /** Workers with quick retries; the test's own processors. */
    async work(processors: Processor<Tables>[], more: Partial<WorkerOptions<Tables>> = {}) {
      return cleanup.use(
        await startWorkers({
          journal,
          connection: redis,
          processors,
          snapshot: () => ({ version: 1 }),
          spec: quickly(),
          sweepEveryMs: 200,
          ...more,
        }),
      )
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

/** The catalogue with retries of milliseconds, and a bound in seconds. */
export const quickly =
  (retryForS = 2, more: Partial<FlowSpec> = {}) =>
  (flow: FlowId): FlowSpec => ({ ...flowSpec(flow), retry: { retryForS, firstDelayMs: 20, capDelayMs: 40 }, ...more })

export const incoming = (flow: FlowId, id: string, more: Partial<Incoming> = {}): Incoming => ({
  flow,
  key: `${flow}.SITE1.${id}`,
  instance: 'SITE1',
  id,
  client: 'derms',
  payload: { messageId: id },
  hash: `hash-of-${id}`,
  terms: [id],
  ...more,
})

export const answer = (body: unknown = {}): Answer => ({ status: 200, body, durationMs: 1 })

export const succeeded: Settlement = { state: 'succeeded', outcome: 'SUCCESS', reply: { status: 200, body: 'done' } }
export const refused: Settlement = {
  state: 'refused',
  outcome: 'ERROR',
  code: 'target-refused',
  reply: { status: 200, body: 'no' },
}
export const dead: Settlement = {
  state: 'dead',
  outcome: 'FAILURE',
  code: 'target-error',
  reply: { status: 200, body: 'failed' },
}

/** What a target can do to a call. */
export const callError = (outcome: 'refused' | 'failed' | 'unknown', retry = outcome === 'refused' ? never : backoff) =>
  new CallError({
    code: outcome === 'refused' ? 'target-refused' : outcome === 'failed' ? 'target-unreachable' : 'target-timeout',
    retry,
    outcome,
    connection: 'DACS_MAIN',
    message: `call: ${outcome}`,
    durationMs: 1,
  })

/** A target whose calls end as told. */
export const targetThat = (call: (mayCall?: MayCall) => Promise<Answer>, name = 'DACS_MAIN') => ({
  name,
  call: (_operation: string, _request: object, mayCall?: MayCall) => call(mayCall),
})

/** A processor that makes one call `create` and is done; `call` decides what the target does. */
export function oneCall(
  flow: FlowId,
  call: (attempt: Attempt, mayCall?: MayCall) => Promise<Answer>,
  giveUp: Settlement = dead,
): Processor<Tables> {
  return {
    flow,
    async process(attempt) {
      const target = targetThat((mayCall) => call(attempt, mayCall))
      const how = { keep: () => succeeded, keepRefusal: () => refused }
      return await attempt.call('create', target, 'create', {}, how)
    },
    giveUp: () => giveUp,
  }
}

/** Field of a message's record. */
export const field = (journal: Journal, key: string, name: string) =>
  journal.redis.hget(`${journal.base}:m:${key}`, name)

/** As when the answer to every script got lost: a connection that waits for Redis sends the command again. */
export const sentTwice = (journal: Journal): Journal => ({
  ...journal,
  async run(name, args, blobs) {
    const same = { ...args, nextRun: randomUUID() }
    await journal.run(name, same, blobs)
    return journal.run(name, same, blobs)
  },
})
