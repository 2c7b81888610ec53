import type { Journal } from '@tieline/journal/journal'
import type { ScriptName } from '@tieline/journal/scripts'
import type { Attempt, EffectCall, Processor } from '@tieline/journal/types'
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
      withEffects(processor, (effect) => async (id, call) => {
        try {
          return await effect(id, call)
        } catch (error) {
          if (!(error instanceof CallError)) throw error
          return { state: 'confirmed', result: undefined as never }
        }
      }),
  },

  /** Makes a call again of which the journal knows that it is confirmed. */
  'send-confirmed-again': {
    processor: (processor) =>
      withEffects(processor, (effect) => async (id, call) => {
        let made = false
        const observed = () => {
          made = true
          return call.call()
        }
        const ended = await effect(id, { ...call, call: observed })
        if (!made && ended.state === 'confirmed') await call.call().catch(() => undefined)
        return ended
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
        : withEffects(processor, (effect) => async (id, call) => {
            const ended = await effect(id, call)
            await call.call().catch(() => undefined)
            return ended
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
      withScripts(journal, async (name, named, run) => {
        const answer = await run(named)
        if (name !== 'outcome' || !('state' in named) || named.state !== 'unknown') return answer
        const [line, seq] = await journal.redis.hmget(`${journal.base}:m:${named.key}`, 'line', 'seq')
        if (line && seq) await journal.redis.set(`${journal.base}:a:${line}`, seq)
        return answer
      }),
  },

  /** Believes that a message is settled which is not. */
  'forget-to-settle': {
    service: ({ journal }) =>
      withScripts(journal, async (name, named, run) =>
        name === 'settle' && named.key.startsWith('device-status-ack.') ? '{"kind":"ok"}' : run(named),
      ),
  },

  /** Hears nothing any more soon after its start. */
  deaf: {
    service: ({ redis }) => void setTimeout(() => redis.disconnect(), 6_000),
  },
}

const fenced: ReadonlySet<ScriptName> = new Set([
  'begin',
  'outcome',
  'settle',
  'retry',
  'pin',
  'note',
  'record',
  'forget',
])

type Effect = Attempt['effect']

function withEffects(
  processor: Processor<LookupSnapshot>,
  wrap: (effect: Effect) => <Result>(id: string, call: EffectCall<Result>) => ReturnType<Effect>,
): Processor<LookupSnapshot> {
  return {
    ...processor,
    process: (attempt, tables) => processor.process({ ...attempt, effect: wrap(attempt.effect) as Effect }, tables),
  }
}

type Named = { readonly key: string }

function withScripts(
  journal: Journal,
  instead: (name: ScriptName, named: Named, run: (named: object) => Promise<unknown>) => Promise<unknown>,
): void {
  const { run } = journal
  const replaced: Journal['run'] = (name, named, blobs) =>
    instead(name, named as Named, (changed) => run(name, changed, blobs))
  Object.assign(journal, { run: replaced })
}
