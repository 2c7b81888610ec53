import { failures } from '@tieline/contracts/failures'
import { listMessages, readAudit, showMessage } from '@tieline/journal/operations'
import { createLogger } from '@tieline/runtime/logger'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Console, startConsole } from '../src/service.ts'
import { openInstallation, planted } from './harness.ts'
import { ownPage, type Visit, visit as visitUrl } from './visit.ts'

let site: Awaited<ReturnType<typeof openInstallation>>
let web: Console
const log: string[] = []

beforeAll(async () => {
  site = await openInstallation()
  const logger = createLogger({
    service: 'console',
    level: 'info',
    destination: { write: (line) => void log.push(line) },
  })
  web = await startConsole(site.settings, { logger })
})

afterAll(async () => {
  await web[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const visit = (path: string, how?: Visit) => visitUrl(web.url + path, how)

/** What Bull Board's page does when somebody presses a button. */
const press = (path: string, as: string, more: Visit = {}) =>
  visit(`/queues/api/queues${path}`, { as, method: 'PUT', headers: ownPage, ...more })

async function jobs(status: string): Promise<{ id: string; data: { key: string } }[]> {
  const query = `activeQueue=stage-status&status=${status}&page=1&jobsPerPage=100`
  const { body } = await visit(`/queues/api/queues?${query}`, { as: 'viewer' })
  return JSON.parse(body).queues.find(({ name }: { name: string }) => name === 'stage-status').jobs
}

const findTicket = async (key: string) => (await jobs('failed')).find(({ data }) => data.key === key)?.id

/** A message is dead a moment before its job is filed. */
const ticketOf = (key: string): Promise<string> =>
  vi.waitFor(async () => {
    const ticket = await findTicket(key)
    if (ticket === undefined) throw new Error('not filed yet')
    return ticket
  })

it('refuses to start without users, and says how to make a password hash', async () => {
  await using empty = await openInstallation({ console: {} })
  await expect(startConsole(empty.settings)).rejects.toThrow(/console\.users: .*pnpm tieline password hash/)
})

describe('who gets in', () => {
  it('shows nothing to those who have not logged in', async () => {
    for (const path of [
      '/',
      '/queues',
      '/queues/api/queues',
      '/queues/static/images/logo.svg',
      '/messages/any',
      '/failures',
      '/elsewhere',
    ]) {
      expect(await visit(path), path).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': expect.stringMatching(/^Basic/) },
      })
    }
  })

  it('refuses wrong passwords, also of a user who has just logged in, and unknown names', async () => {
    expect(await visit('/', { as: 'operator' })).toMatchObject({ status: 302 })
    expect(await visit('/', { as: 'operator', password: 'wrong' })).toMatchObject({ status: 401 })
    expect(await visit('/', { as: 'nobody' })).toMatchObject({ status: 401 })
    expect(log.filter((line) => line.includes('A login was refused')).join()).toContain('"user":"operator"')
    expect(log.join()).not.toContain('nobody')
  })

  it('leads to the board, whose pages come from this server alone and cannot be framed', async () => {
    expect(await visit('/', { as: 'viewer' })).toMatchObject({ status: 302, headers: { location: '/queues' } })
    const page = await visit('/queues', { as: 'viewer' })
    expect(page.status).toBe(200)
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' })
    const [, script] = /<script defer src="(static\/js\/main[^"]+)"/.exec(page.body) ?? []
    expect(await visit(`/queues/${script}`, { as: 'viewer' })).toMatchObject({ status: 200 })
  })
})

it('shows what happened to a message where the links in e-mails lead, as text and without its payload', async () => {
  const key = await site.settle('<b>linked</b>', 'dead')
  const page = await visit(`/messages/${encodeURIComponent(key)}`, { as: 'viewer' })
  expect(page.status).toBe(200)
  expect(page.body).toMatch(/&lt;b&gt;linked&lt;\/b&gt;[\s\S]*state=dead outcome=FAILURE code=target-error/)
  expect(page.body).not.toContain('<b>')
  expect(page.body).not.toContain(planted)
  expect(await visit('/messages/lost', { as: 'viewer' })).toMatchObject({ status: 404 })
})

it('explains every failure code at the place where the links in e-mails lead', async () => {
  const { status, body } = await visit('/failures', { as: 'viewer' })
  expect(status).toBe(200)
  for (const [code, { meaning, next }] of Object.entries(failures)) {
    const [section = ''] = body.split(`<section id="${code}">`).slice(1)
    const words = section
      .slice(0, section.indexOf('</section>'))
      .replaceAll(/<code>|<\/code>/g, '`')
      .replaceAll(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity)
    expect(words, code).toContain(meaning)
    expect(words, code).toContain(next)
    expect(body).toContain(`<a href="#${code}">`)
  }
})

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

describe('dead letters', () => {
  it('a viewer sees them, but cannot retry them', async () => {
    const key = await site.settle('seen', 'dead')
    const ticket = await ticketOf(key)
    expect(await press(`/stage-status/${ticket}/retry`, 'viewer')).toMatchObject({ status: 403 })
    expect(await press('/stage-status/pause', 'viewer')).toMatchObject({ status: 403 })
    expect(await showMessage(site.journal, key)).toMatchObject({ state: 'dead', generation: 1 })
  })

  it('no more of a job is shown than its key', async () => {
    const key = await site.settle('masked', 'dead')
    const ticket = await ticketOf(key)
    const job = await site.journal.queues.all.find(({ name }) => name === 'stage-status')?.getJob(ticket)
    await job?.updateData({ key, name: planted } as never)
    await job?.updateProgress({ name: planted })
    const { status, body } = await visit(`/queues/api/queues/stage-status/${ticket}`, { as: 'operator' })
    expect(status).toBe(200)
    expect(JSON.parse(body).job).toMatchObject({ id: ticket, data: { key }, progress: 0, failedReason: 'target-error' })
    expect(body).not.toContain(planted)
    expect(await visit('/queues/api/redis/stats', { as: 'administrator' })).toMatchObject({ status: 403 })
  })

  it('a request of another site changes nothing, whoever is logged in', async () => {
    const key = await site.settle('forged', 'dead')
    const path = `/stage-status/${await ticketOf(key)}/retry`
    const forgeries: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: web.url },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      {},
    ]
    for (const headers of forgeries) {
      expect(await press(path, 'operator', { headers }), JSON.stringify(headers)).toMatchObject({ status: 403 })
    }
    expect(await showMessage(site.journal, key)).toMatchObject({ state: 'dead', generation: 1 })
  })

  it('are not lost with their ticket: the journal still lists them', async () => {
    const key = await site.settle('cleaned', 'dead')
    expect(await press(`/stage-status/${await ticketOf(key)}/clean`, 'operator')).toMatchObject({ status: 204 })
    expect(await findTicket(key)).toBeUndefined()
    expect((await listMessages(site.journal, { state: 'dead' })).map((message) => message.key)).toContain(key)
  })

  it('the journal decides when jobs run: nobody adds, edits, promotes, empties or destroys', async () => {
    const key = await site.settle('bypassed', 'dead')
    const ticket = await ticketOf(key)
    const refusedPaths: [method: string, path: string][] = [
      ['POST', '/stage-status/add'],
      ['PATCH', `/stage-status/${ticket}/update-data`],
      ['PATCH', `/stage-status/${ticket}/priority`],
      ['PUT', `/stage-status/${ticket}/promote`],
      ['PUT', '/stage-status/promote'],
      ['PUT', '/stage-status/empty'],
      ['PUT', '/stage-status/obliterate'],
      ['PUT', '/stage-status/concurrency'],
      ['PUT', '/stage-status/rate-limit'],
      ['PUT', '/stage-status/retry/completed'],
      ['PUT', '/stage-status/clean/wait'],
    ]
    for (const [method, path] of refusedPaths) {
      expect(await press(path, 'administrator', { method, body: {} }), path).toMatchObject({ status: 403 })
    }
  })

  it('a retry by an operator runs a fresh generation, audited and logged with the user; then nothing is left to retry', async () => {
    const key = await site.settle('retried', 'dead')
    const ticket = await ticketOf(key)
    site.recover()
    const retry = () =>
      press(`/stage-status/${ticket}/retry`, 'operator', { headers: { origin: web.url.replace('http:', 'https:') } })
    expect(await retry()).toMatchObject({ status: 204 })
    await site.reaches(key, 'succeeded')
    expect(await showMessage(site.journal, key)).toMatchObject({ generation: 2, attempts: 1 })
    expect(await readAudit(site.journal)).toContainEqual(
      expect.objectContaining({ what: 'resubmit', key, who: 'operator' }),
    )
    const action = log
      .map((line) => JSON.parse(line))
      .find(({ path, status }) => status === 204 && path?.includes(ticket))
    expect(action).toMatchObject({ user: 'operator', method: 'PUT', status: 204 })
    const board = { what: 'board', key: `stage-status/${ticket}/retry`, who: 'operator' }
    expect(await readAudit(site.journal)).toContainEqual(expect.objectContaining(board))

    expect(await retry()).toMatchObject({ status: 403 })
    expect(await showMessage(site.journal, key)).toMatchObject({ state: 'succeeded', generation: 2 })
  })
})

it('an operator pauses and resumes a flow, which the audit names', async () => {
  const queue = site.journal.queues.all.find(({ name }) => name === 'enrollment-sync')
  expect(await press('/enrollment-sync/pause', 'operator')).toMatchObject({ status: 200 })
  expect(await queue?.isPaused()).toBe(true)
  expect(await press('/enrollment-sync/resume', 'operator')).toMatchObject({ status: 200 })
  expect(await queue?.isPaused()).toBe(false)
  const [resumed, paused] = await readAudit(site.journal, 2)
  expect(paused).toMatchObject({ who: 'operator', what: 'board', key: 'enrollment-sync/pause' })
  expect(resumed).toMatchObject({ who: 'operator', what: 'board', key: 'enrollment-sync/resume' })
})
