import { Counter, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { type OperationsOptions, startOperationsListener } from '../src/operations-listener.ts'
import { recordingLogger } from './support.ts'

const start = (options: Partial<OperationsOptions> = {}) =>
  startOperationsListener({
    port: 0,
    register: new Registry(),
    ready: async () => true,
    ...recordingLogger(),
    ...options,
  })

describe('the operations listener', () => {
  it('serves metrics in the format of Prometheus', async () => {
    const register = new Registry()
    new Counter({ name: 'messages_total', help: 'Messages.', registers: [register] }).inc(3)
    await using listener = await start({ register })
    const answer = await fetch(`${listener.url}/metrics`)
    expect(answer.headers.get('content-type')).toBe(register.contentType)
    expect(await answer.text()).toContain('messages_total 3')
  })

  it('says where it listens in the log', async () => {
    const { logger, lines } = recordingLogger()
    await using listener = await start({ logger })
    expect(lines.join()).toContain(listener.url)
  })

  it('is live whether it is ready or not', async () => {
    await using listener = await start({ ready: async () => false })
    expect((await fetch(`${listener.url}/health/live`)).status).toBe(200)
  })

  it('is ready when the process says so, with what should be looked at', async () => {
    await using listener = await start({ ready: async () => ({ ready: true, warnings: ['appendfsync is everysec'] }) })
    const answer = await fetch(`${listener.url}/health/ready`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'ready', warnings: ['appendfsync is everysec'] })
  })

  it.each([
    ['says no', async () => false, 'not ready yet'],
    ['says why not', async () => ({ ready: false, reason: 'Redis is away' }), 'Redis is away'],
    ['fails', async () => Promise.reject(new Error('planted-detail')), 'the check failed; the log says why'],
    ['does not answer', () => new Promise<boolean>(() => undefined), 'no answer within 50 ms'],
  ])('answers 503 with a reason when the process %s', async (_, ready, reason) => {
    await using listener = await start({ ready, readyWithinMs: 50 })
    const answer = await fetch(`${listener.url}/health/ready`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({ status: 'not ready', reason, warnings: [] })
  })

  it('answers 500 without a detail when metrics cannot be collected', async () => {
    const register = {
      contentType: new Registry().contentType,
      metrics: () => Promise.reject(new Error('planted-detail')),
    }
    await using listener = await start({ register })
    const answer = await fetch(`${listener.url}/metrics`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('planted-detail')
  })
})

describe('the API documents', () => {
  const openapi = { openapi: '3.1.0', info: { title: 'Tieline', version: '1' }, paths: {} }

  it('are a page, its assets from disk, and the OpenAPI document', async () => {
    await using listener = await start({ openapi })
    expect(await (await fetch(`${listener.url}/openapi.json`)).json()).toEqual(openapi)
    const page = await fetch(`${listener.url}/docs`)
    expect(page.headers.get('content-type')).toContain('text/html')
    const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link)
    expect(links).toHaveLength(4)
    for (const link of links) {
      const asset = await fetch(new URL(link, `${listener.url}/docs`))
      expect(asset.status, link).toBe(200)
      const type = asset.headers.get('content-type')
      expect(type, link).toMatch(
        link.endsWith('.js') ? /^text\/javascript/ : link.endsWith('.css') ? /^text\/css/ : /^image\/png/,
      )
      expect((await asset.arrayBuffer()).byteLength, link).toBeGreaterThan(50)
    }
    expect(await (await fetch(`${listener.url}/docs/start.js`)).text()).toContain("'openapi.json'")
  })

  it('serve no other file of the package or of the disk', async () => {
    await using listener = await start({ openapi })
    for (const path of [
      '/docs/package.json',
      '/docs/index.html',
      '/docs/..%2fpackage.json',
      '/docs/%2e%2e/%2e%2e/package.json',
    ]) {
      expect((await fetch(`${listener.url}${path}`)).status, path).toBe(404)
    }
  })

  it('are not there when the process has none', async () => {
    await using listener = await start()
    expect((await fetch(`${listener.url}/docs`)).status).toBe(404)
    expect((await fetch(`${listener.url}/openapi.json`)).status).toBe(404)
  })
})
