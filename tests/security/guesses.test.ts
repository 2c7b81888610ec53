import { randomBytes, scryptSync } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { startConsole } from '@tieline/console/service'
import { examples } from '@tieline/contracts/examples'
import { createLogger } from '@tieline/runtime/logger'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { credentials } from '@tieline/testkit/installation'
import { startPipeline } from '@tieline/testkit/pipeline'
import { expect, inject, test } from 'vitest'

const guesses = 10_000

/** In every password that is guessed, so that it would be found in a log. */
const guessed = 'Guessed-Secret'

/** Connections; each sends its guesses without waiting for answers. */
const connections = 100

/** Tries so many wrong passwords, each another one, and counts the statuses of the answers. */
async function guess(url: string, method: string, username: string): Promise<Record<string, number>> {
  const { hostname, port, pathname } = new URL(url)
  const tries = Array.from({ length: guesses }, (_, n) => {
    const authorization = basicAuthorization({ username, password: `${guessed}-${n}` })
    const connection = n < guesses - connections ? 'keep-alive' : 'close'
    return `${method} ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: ${connection}\r\n\r\n`
  })
  const answers = await Promise.all(
    Array.from({ length: connections }, (_, nth) => {
      const socket = connect(Number(port), hostname)
      socket.write(tries.filter((_, n) => n % connections === nth).join(''))
      return text(socket)
    }),
  )
  const statuses = answers.join('').matchAll(/HTTP\/1\.1 (\d+) /g)
  const counts: Record<string, number> = {}
  for (const [, status = ''] of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Takes a tenth of the time of a real one. */
function quickHash(password: string): string {
  const [salt, cost] = [randomBytes(16), { N: 4_096, r: 8, p: 1 }]
  const hash = scryptSync(password, salt, 32, cost)
  return `scrypt:${cost.N}:${cost.r}:${cost.p}:${salt.toString('base64')}:${hash.toString('base64')}`
}

function recordingLogger() {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { lines, logger: createLogger({ service: 'test', level: 'info', destination }) }
}

test('10,000 wrong passwords open nothing at the ingress, shut nobody out, and do not fill the log', async () => {
  const { lines, logger } = recordingLogger()
  await using pipeline = await startPipeline({ redisUrl: inject('redisUrl'), services: [], logger })
  const statuses = await guess(`${pipeline.url}/derms/sendEnrollAck`, 'POST', credentials.derms.username)
  expect(statuses).toEqual({ 401: guesses })
  expect((await pipeline.post('enrollment-sync-ack', examples['enrollment-sync-ack'])).status).toBe(202)

  const [, metricsUrl] = /Metrics and health on (http:[^"]+)"/.exec(lines.join('')) ?? []
  const metrics = await (await fetch(`${metricsUrl}/metrics`)).text()
  expect(metrics).toContain(
    `tieline_ingress_refusals_total{flow="enrollment-sync-ack",client="none",code="unauthenticated"} ${guesses}`,
  )
  const refusals = lines.filter((line) => line.includes('"unauthenticated"'))
  expect(refusals.length).toBeGreaterThan(0)
  expect(refusals.length).toBeLessThan(1_000)
  expect(lines.join('')).not.toContain(guessed)
})

test('10,000 wrong passwords open nothing at the console, end no session, and do not fill the log', async () => {
  const user = { username: 'ann', password: 'right-password' }
  const passwordHash = quickHash(user.password)
  const { lines, logger } = recordingLogger()
  const sections = { console: { users: [{ name: user.username, role: 'viewer', passwordHash }] } }
  await using pipeline = await startPipeline({ redisUrl: inject('redisUrl'), services: [], sections })
  await using console = await startConsole(pipeline.settings, { logger })
  const login = await fetch(`${console.url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: console.url, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ name: user.username, password: user.password, to: '' }),
  })
  const cookie = login.headers.getSetCookie().join('; ')
  expect(login.status).toBe(303)

  const guessing = guess(`${console.url}/failures`, 'GET', user.username)
  const looking = Array.from({ length: 20 }, () => fetch(`${console.url}/failures`, { headers: { cookie } }))
  const { 401: refused = 0, 503: turnedAway = 0, ...others } = await guessing
  expect(others).toEqual({})
  expect(refused).toBeGreaterThan(0)
  expect(refused + turnedAway).toBe(guesses)
  for (const { status } of await Promise.all(looking)) expect(status).toBe(200)

  const headers = { authorization: basicAuthorization(user) }
  expect((await fetch(`${console.url}/failures`, { headers })).status).toBe(200)
  expect(lines.filter((line) => line.includes('A login was refused')).length).toBeLessThan(refused)
  expect(lines.join('')).not.toContain(guessed)
})
