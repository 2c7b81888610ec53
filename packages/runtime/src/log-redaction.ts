import { TielineError } from './error.ts'

const removed = '[redacted]'
const depthMax = 6

/**
 * A copy of a value that may be logged: well-known private fields are replaced at any depth, credentials are cut out of
 * addresses, errors are described by `describeError`, and of any other class only its name remains, because sockets,
 * requests and clients carry headers and bodies along.
 */
export function forLog(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutCredentials(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (value instanceof Error) return describeError(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof URL) return withoutCredentials(value.href)
  if (depth === depthMax) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => forLog(item, depth + 1))
  if (!isPlain(value)) return `[${value.constructor?.name ?? 'object'}]`
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isPrivate(key) ? removed : forLog(item, depth + 1)]),
  )
}

/**
 * What a log line tells of an error: no enumerable extras, and of its cause only name and code, since HTTP clients hang
 * whole requests with headers and bodies on theirs. Parsers quote the text they failed on, so their message is left out.
 */
function describeError(error: Error): Record<string, unknown> {
  const quotes = error instanceof SyntaxError || error.name.endsWith('ParseError')
  const frames = (error.stack ?? '').replace(error.message, '').split('\n')
  return {
    ...nameAndCode(error),
    message: quotes ? removed : withoutCredentials(error.message),
    ...(error instanceof TielineError ? { retry: error.retry.kind } : {}),
    stack: frames.filter((line) => /^\s+at /.test(line)).join('\n'),
    ...(error.cause instanceof Error ? { cause: nameAndCode(error.cause) } : {}),
  }
}

function nameAndCode(error: Error): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined
  return { name: error.name, ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}) }
}

/** Names of fields that are never logged, in lower case and without separators. */
const privateNames = new Set([
  'address',
  'authorization',
  'bcc',
  'body',
  'cc',
  'cookie',
  'cookies',
  'credentials',
  'email',
  'emailaddress',
  'fartext',
  'firstname',
  'headers',
  'html',
  'lastname',
  'customername',
  'params',
  'passphrase',
  'passwordhash',
  'payload',
  'payloadkeys',
  'phone',
  'phonenumber',
  'privatekey',
  'rawbody',
  'recipients',
  'reply',
  'setcookie',
  'text',
])

const isPrivate = (key: string): boolean => {
  const name = key.replace(/[-_]/g, '').toLowerCase()
  return privateNames.has(name) || /(password|secret|token|apikey|authorization)$/.test(name)
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@\s]+@/g, `//${removed}@`)
