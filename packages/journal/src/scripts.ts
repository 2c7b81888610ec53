import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RedisConnection } from '@tieline/runtime/redis'
import { effectFields } from './effects.ts'

/** Redis or a journal script failed. It says nothing about the message, so it never consumes an attempt. */
export class JournalError extends Error {
  constructor(script: string, cause: unknown) {
    super(`Journal script ${script} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'JournalError'
  }
}

const scriptNames = [
  'accept',
  'take',
  'begin',
  'outcome',
  'settle',
  'retry',
  'yield',
  'pin',
  'note',
  'keep-index',
  'rerun',
  'discard',
  'abort',
  'revive',
  'restamp',
  'collect',
  'trim',
  'record',
  'forget',
  'start-run',
  'join-window',
  'close-window',
  'recover',
  'reached',
  'notify',
  'refuse',
  'dismiss',
  'pause',
] as const

export type ScriptName = (typeof scriptNames)[number]

/** A sealed value, passed through unread. */
export type Blob = string | Buffer

/**
 * Runs one atomic script: `named` becomes ARGV[1], `blobs` the arguments after it. What it answers are strings, and buffers in
 * a list, which is how a script hands out a sealed value.
 */
export type RunScript = (name: ScriptName, named: object, blobs?: readonly Blob[]) => Promise<unknown>

const source = (file: string) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8')
/** What every script begins with. */
const prelude = [
  `local effectFields = { ${effectFields.map((name) => `'${name}'`).join(', ')} }`,
  ...['prelude', 'lines', 'generations'].map(source),
].join('\n')
const scripts = new Map(
  scriptNames.map((name) => {
    const text = `${prelude}\n${source(name)}`
    return [name, { text, sha: createHash('sha1').update(text).digest('hex') }]
  }),
)

/** @throws JournalError for whatever Redis or the script has to complain about */
export function createScriptRunner(redis: RedisConnection, base: string): RunScript {
  return async (name, named, blobs = []) => {
    const script = scripts.get(name)
    if (!script) throw new JournalError(name, 'unknown script')
    const args = [1, base, wellFormedJson(named), ...blobs]
    try {
      const answer = await redis.callBuffer('EVALSHA', script.sha, ...args).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
          return redis.callBuffer('EVAL', script.text, ...args)
        throw error
      })
      return Buffer.isBuffer(answer) ? answer.toString() : answer
    } catch (error) {
      throw new JournalError(name, error)
    }
  }
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
