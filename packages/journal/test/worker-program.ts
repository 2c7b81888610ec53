import { flowSpec } from '@tieline/contracts/flows'
import { backoff, CallError } from '@tieline/runtime/error'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { createFilePayloadStore } from '../src/files/file-payload-store.ts'
import { createJournal } from '../src/journal.ts'
import { startWorkers } from '../src/worker.ts'

// A worker process to kill: it posts the message key to TARGET_URL and settles.
const { REDIS_URL = '', INSTALLATION = '', TARGET_URL = '', PAYLOADS = '' } = process.env
const logger = createLogger({ service: 'worker-program', level: 'silent' })
const redis = connectWorker(REDIS_URL, logger)
const retention = { messagesDays: 32, payloadHours: 24, replayHours: 24, auditDays: 365 }
const journal = createJournal({
  redis,
  installation: INSTALLATION,
  payloadKeys: [],
  payloadStore: createFilePayloadStore(PAYLOADS),
  retention,
  logger,
})
await startWorkers({
  journal,
  connection: redis,
  snapshot: () => ({ version: 1 }),
  spec: (flow) => ({ ...flowSpec(flow), retry: { retryForS: 60, firstDelayMs: 50, capDelayMs: 200 } }),
  lockMs: 1_000,
  stalledCheckMs: 500,
  sweepEveryMs: 500,
  processors: [
    {
      flow: 'stage-status',
      async process(attempt) {
        const target = {
          name: 'DACS_MAIN',
          async call() {
            const startedAt = Date.now()
            try {
              const response = await fetch(TARGET_URL, { method: 'POST', body: attempt.key })
              return { status: response.status, body: await response.text(), durationMs: Date.now() - startedAt }
            } catch (cause) {
              const facts = {
                code: 'target-reset',
                retry: backoff,
                outcome: 'unknown',
                connection: 'DACS_MAIN',
                durationMs: 0,
              } as const
              throw new CallError({ ...facts, message: 'reset', cause })
            }
          },
        }
        await attempt.call('create', target, 'create', {}, { keep: ({ body }) => body })
        return { state: 'succeeded', outcome: 'SUCCESS', reply: { status: 200, body: `by ${process.pid}` } }
      },
      giveUp: () => ({ state: 'dead', outcome: 'FAILURE' }),
    },
  ],
})
process.stdout.write('ready\n')
