import { randomUUID } from 'node:crypto'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { ScriptName } from '../schema.ts'
import type { ScriptCalls } from '../script-calls.ts'
import { buildScripts } from './lua-sources.ts'

/** Redis or a journal script failed. It says nothing about the message, so it never consumes an attempt. */
export class JournalError extends Error {
  constructor(script: string, cause: unknown) {
    super(`Journal script ${script} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'JournalError'
  }
}

/** A sealed value, passed through unread. */
export type Blob = string | Buffer

export type ArgumentsOf<Name extends ScriptName> = ScriptCalls[Name]['args']
export type AnswerOf<Name extends ScriptName> = ScriptCalls[Name]['answer']

/**
 * Runs one atomic script, all of it or nothing. Its arguments become ARGV[1] together with `now` and `nextRun`, a run id for
 * whoever may be next; `blobs` are the arguments after it. `late` is there when Redis did not know the script at first: what was sent
 * behind it was done before it. A sealed value that it hands out is `blob` of the answer.
 * @throws JournalError for whatever Redis or the script has to complain about
 */
export type RunScript = <Name extends ScriptName>(
  name: Name,
  args: ArgumentsOf<Name>,
  blobs?: readonly Blob[],
) => Promise<AnswerOf<Name>>

interface Deps {
  readonly redis: RedisConnection
  readonly base: string
  readonly clock: () => number
  /** How long things are kept, in milliseconds: the scripts know them by these names. */
  readonly constants: Readonly<Record<'watchMs' | 'collectMs' | 'retentionMs' | 'replayMs', number>>
}

export function createScriptRunner({ redis, base, clock, constants }: Deps): RunScript {
  const scripts = buildScripts(constants)
  return async (name, args, blobs = []) => {
    try {
      const script = scripts.get(name)
      if (!script) throw new Error('unknown script')
      const named = { now: clock(), nextRun: randomUUID(), ...args }
      const command = [1, base, wellFormedJson(named), ...blobs] as const
      const answer = await redis.callBuffer('EVALSHA', script.sha, ...command).catch((error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        const [keys, key, , ...rest] = command
        return redis.callBuffer('EVAL', script.text, keys, key, wellFormedJson({ ...named, late: true }), ...rest)
      })
      return decode(answer)
    } catch (error) {
      throw new JournalError(name, error)
    }
  }
}

/** JSON, or a list of JSON and a sealed value. */
function decode<Answer>(answer: unknown): Answer {
  if (!Array.isArray(answer)) return JSON.parse(String(answer)) as Answer
  const [json, blob] = answer as [Buffer, Buffer | null]
  return { ...JSON.parse(json.toString()), blob } as Answer
}

/** Half a surrogate pair, as a sender may put it into any field, is JSON to JavaScript but not to Redis' scripts. */
function wellFormedJson(named: object): string {
  const json = JSON.stringify(named)
  if (!json.includes('\\ud')) return json
  return JSON.stringify(named, (_name, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value))
}

/** Redis answers these while it is full, starting, failing over or read-only: the same call may succeed in a moment. */
export function isPassing(error: unknown): boolean {
  const cause = error instanceof JournalError ? error.cause : error
  return (
    cause instanceof Error &&
    /\b(OOM|LOADING|MISCONF|READONLY|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|TRYAGAIN|BUSY)\b/.test(cause.message)
  )
}
