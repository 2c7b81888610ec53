import { describe, expect, it } from 'vitest'
import { backoff, CallError, never, TielineError } from '../src/error.ts'
import { createLogger, type LogLevel } from '../src/logger.ts'

function capture(level: LogLevel = 'info') {
  const lines: string[] = []
  const logger = createLogger({ service: 'events', level, destination: { write: (line) => lines.push(line) } })
  return { logger, lines, records: () => lines.map((line) => JSON.parse(line)) }
}

describe('a log record', () => {
  it('is one line of JSON with level, ISO time and service', () => {
    const { logger, lines, records } = capture()
    logger.info({ flow: 'stage-status', attempts: 2 }, 'Delivered\nsomething')
    expect(lines[0]?.match(/\n/g)).toHaveLength(1)
    expect(records()[0]).toMatchObject({
      level: 'info',
      service: 'events',
      flow: 'stage-status',
      attempts: 2,
      msg: 'Delivered\nsomething',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
  })

  it('below the level is not written', () => {
    const { logger, lines } = capture('warn')
    logger.info('quiet')
    expect(lines).toEqual([])
  })

  it.each([
    'password',
    'passwordHash',
    'Authorization',
    'proxy-authorization',
    'set-cookie',
    'clientSecret',
    'client_secret',
    'access_token',
    'payload',
    'body',
    'farText',
    'headers',
    'recipients',
    'email',
    'phoneNumber',
  ])('never shows field %s, at any depth and in bindings of children', (field) => {
    const { logger, lines } = capture()
    const secret = { [field]: 'marked' }
    logger.info(secret, 'one')
    logger.warn({ request: { list: [{ inner: secret }] } }, 'two')
    logger.child(secret).child({ nested: secret }).error({ deeper: secret }, 'three')
    logger.info('four %o', secret)
    expect(lines).toHaveLength(4)
    expect(lines.join('')).not.toContain('marked')
  })

  it('shows no password of an address, wherever it stands', () => {
    const { logger, lines } = capture()
    logger.info({ url: 'rediss://user:marked@redis.example:6379' }, 'Connected to redis://:marked@redis.example')
    logger.error(new Error('connect smtp://me:marked@mail.example'))
    expect(lines.join('')).not.toContain('marked')
    expect(lines.join('')).toContain('redis.example:6379')
  })

  it('shows of instances of classes only the class, and survives circles', () => {
    const { logger, records } = capture()
    const circle: Record<string, unknown> = { socket: new AbortController(), key: Buffer.from('marked'), n: 1n }
    circle.again = circle
    logger.info({ circle, at: new Date(0), gone: undefined })
    expect(records()[0]).toMatchObject({
      circle: { socket: '[AbortController]', key: '[Buffer]', n: '1' },
      at: '1970-01-01T00:00:00.000Z',
    })
  })
})

describe('a logged error', () => {
  it('tells name, code, message, retry and stack, and of its cause name and code', () => {
    const { logger, records } = capture()
    const cause = Object.assign(new TypeError('marked'), { code: 'ECONNREFUSED', request: { body: 'marked' } })
    logger.error({ err: new TielineError('target-unreachable', backoff, 'No connection', { cause }) }, 'Failed')
    expect(records()[0].err).toEqual({
      name: 'TielineError',
      code: 'target-unreachable',
      message: 'No connection',
      retry: 'backoff',
      stack: expect.stringMatching(/^\s+at .*logger\.test\.ts/),
      cause: { name: 'TypeError', code: 'ECONNREFUSED' },
    })
    expect(records()[0].msg).toBe('Failed')
  })

  it('never leaks request bodies, far texts or other extras, under any key', () => {
    const { logger, lines } = capture()
    const call = new CallError({
      code: 'target-refused',
      retry: never,
      outcome: 'refused',
      connection: 'DACS_MAIN',
      message: 'DACS_MAIN answered 400',
      durationMs: 1,
      farText: 'marked',
    })
    const http = Object.assign(new Error('HTTP 400'), { options: { json: 'marked' }, response: { rawBody: 'marked' } })
    for (const error of [call, http]) {
      logger.error(error)
      logger.error({ err: error })
      logger.error({ reason: error, list: [error] }, 'nested')
      logger.child({ err: error }).error('bound')
      logger.error('%o', error)
    }
    expect(lines).toHaveLength(10)
    expect(lines.join('')).not.toContain('marked')
    expect(lines[0]).toContain('"msg":"DACS_MAIN answered 400"')
  })

  it('of a parser does not quote what was parsed', () => {
    const { logger, lines, records } = capture()
    try {
      JSON.parse('{"name": marked\n    at marked}')
    } catch (error) {
      logger.error(error)
      logger.error({ err: error }, 'Could not parse')
    }
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain('marked')
    expect(records()[0].err).toMatchObject({
      name: 'SyntaxError',
      message: '[redacted]',
      stack: expect.stringContaining('logger.test.ts'),
    })
  })
})
