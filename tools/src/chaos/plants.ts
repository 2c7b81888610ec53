import type { Journal } from '@tieline/journal/journal'
import type { ScriptName } from '@tieline/journal/schema'
import type { Attempt, Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError } from '@tieline/runtime/error'
import type { BesideDeps } from '@tieline/worker-service/start-worker-service'
import type { PlantName } from './plant-names.ts'

/** A bug put around the parts of a worker service, never into them. */
export interface Plant {
  readonly processor?: (processor: Processor<LookupSnapshot>) => Processor<LookupSnapshot>
  readonly service?: (deps: BesideDeps) => void
}

export const plants: Readonly<Record<PlantName, Plant>> = {
  /** Takes a call that failed for one that was confirmed. */
  'confirm-failures': {
    processor: (processor) =>
      withCalls(processor, (call) => async (...intended) => {
        try {
          return await call(...intended)
        } catch (error) {
          if (!(error instanceof CallError)) throw error
          return undefined
        }
      }),
  },

  /** Makes a call again of which the journal knows that it is confirmed. */
  'send-confirmed-again': {
    processor: (processor) =>
      withCalls(processor, (call) => async (id, target, operation, request, options) => {
        let made = false
        const observed: typeof target = {
          ...target,
          call(...intended) {
            made = true
            return target.call(...intended)
          },
        }
        const kept = await call(id, observed, operation, request, options)
        if (!made) await target.call(operation, request).catch(() => undefined)
        return kept
      }),
  },

  /** Lets any attempt write, whoever has its message now. */
  'no-fencing': {
    service: ({ journal }) =>
      withScripts(journal, async (name, named, run) => {
        if (!fenced.has(name)) return run(named)
        const [token, holder] = await journal.redis.hmget(`${journal.base}:m:${named.key}`, 'token', 'run')
        return run({ ...named, token: token ?? undefined, run: holder })
      }),
  },

  /** Tells DERMS how a file ended, and tells it again. */
  'acknowledge-twice': {
    processor: (processor) =>
      processor.flow !== 'acknowledgment'
        ? processor
        : withCalls(processor, (call) => async (id, target, operation, request, options) => {
            const kept = await call(id, target, operation, request, options)
            await target.call(operation, request).catch(() => undefined)
            return kept
          }),
  },

  /** Lets a message leave its line as soon as it is taken. */
  'no-lines': {
    service: ({ journal }) =>
      withScripts(journal, async (name, named, run) => {
        const answer = await run(named)
        const line = name === 'take' ? await journal.redis.hget(`${journal.base}:m:${named.key}`, 'line') : undefined
        if (line) await journal.redis.zrem(`${journal.base}:l:${line}`, String(named.key))
        return answer
      }),
  },

  /** Takes a call of unknown outcome for an answer to all that came before it in its line. */
  'unknown-answers': {
    service: ({ journal }) =>
      withScripts(journal, async (_name, named, run) => {
        const answer = await run(named)
        if (!('ended' in named) || !JSON.stringify(named.ended).includes('"state":"unknown"')) return answer
        const [line, seq] = await journal.redis.hmget(`${journal.base}:m:${named.key}`, 'line', 'seq')
        if (line && seq) await journal.redis.set(`${journal.base}:a:${line}`, seq)
        return answer
      }),
  },

  /** Believes that a message is settled which is not. */
  'forget-to-settle': {
    service: ({ journal }) =>
      withScripts(journal, async (name, named, run) =>
        name === 'settle' && named.key.startsWith('device-status-ack.') ? { kind: 'ok' } : run(named),
      ),
  },

  /** Hears nothing any more soon after its start. */
  deaf: {
    service: ({ redis }) => void setTimeout(() => redis.disconnect(), 6_000),
  },
}

const fenced: ReadonlySet<ScriptName> = new Set(['begin', 'outcome', 'settle', 'retry', 'note', 'record', 'forget'])

type Call = (...intended: Parameters<Attempt['call']>) => Promise<unknown>

function withCalls(processor: Processor<LookupSnapshot>, wrap: (call: Call) => Call): Processor<LookupSnapshot> {
  return {
    ...processor,
    process: (attempt, tables) =>
      processor.process({ ...attempt, call: wrap(attempt.call as Call) as Attempt['call'] }, tables),
  }
}

type Named = { readonly key: string }

function withScripts(
  journal: Journal,
  instead: (name: ScriptName, named: Named, run: (named: object) => Promise<object>) => Promise<object>,
): void {
  const { run } = journal
  // What a plant answers is as wrong as it wants to be.
  const replaced = (name: ScriptName, named: object, blobs?: Parameters<typeof run>[2]) =>
    instead(name, named as Named, (changed) => run(name, changed as Parameters<typeof run>[1], blobs))
  Object.assign(journal, { run: replaced })
}
