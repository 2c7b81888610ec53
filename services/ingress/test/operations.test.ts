import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { basic, openIngress, settling, stageStatus, succeeded, syncAck } from './harness.ts'

const get = async (url: string) => {
  const response = await fetch(url)
  return { status: response.status, text: await response.text() }
}

describe('operators', () => {
  test('get one log line for each request, with ids and times and nothing of body or credentials', async () => {
    await using ingress = await openIngress()
    await ingress.work(settling('stage-status', () => succeeded({ told: 'SECRET-REPLY' })))
    const headers = { 'x-request-id': 'caller-7.b_1' }
    const message = stageStatus({ messageId: 'M-1', cancelReason: 'SECRET-REASON' })
    const answer = await ingress.post('stage-status', message, { headers })
    expect(answer.headers.get('x-request-id')).toBe('caller-7.b_1')
    await ingress.post('stage-status', message, { headers: { authorization: basic('derms', 'SECRET-WRONG') } })

    const lines = ingress.logged.filter((line) => line.includes('requestId'))
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        requestId: 'caller-7.b_1',
        flow: 'stage-status',
        client: 'derms',
        key: 'stage-status.SITE1.M-1',
        status: 200,
        ending: 'replied',
        ms: expect.any(Number),
        msg: 'POST stage-status 200',
      },
      { flow: 'stage-status', status: 401, code: 'unauthenticated' },
    ])
    expect(ingress.logged.join()).not.toMatch(/SECRET|pw-derms|ZGVybX/)
  })

  test('get an id of our own for a request whose id is not fit for logs', async () => {
    await using ingress = await openIngress()
    for (const id of ['a b', 'x'.repeat(129), '"}', '']) {
      const answer = await ingress.post('/derms/nothing', {}, { headers: { 'x-request-id': id } })
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(answer.body.instance).toBe(answer.headers.get('x-request-id'))
    }
  })

  test('get counts, times, health and the description of the interface', async () => {
    await using ingress = await openIngress()
    await ingress.post('enrollment-sync-ack', syncAck('A'))
    await ingress.post('enrollment-sync-ack', 'broken')
    await ingress.post('/derms/nothing', {})
    const { text } = await get(`${ingress.service.operationsUrl}/metrics`)
    expect(text).toContain('tieline_ingress_requests_total{flow="enrollment-sync-ack",client="derms",status="202"} 1')
    expect(text).toContain('tieline_ingress_requests_total{flow="enrollment-sync-ack",client="derms",status="400"} 1')
    expect(text).toContain('tieline_ingress_requests_total{flow="none",client="none",status="404"} 1')
    expect(text).toContain('tieline_ingress_reply_seconds_count{flow="enrollment-sync-ack"} 2')
    for (const url of [ingress.url, ingress.service.operationsUrl]) {
      expect(await get(`${url}/health/live`)).toMatchObject({ status: 200 })
      expect(await get(`${url}/health/ready`)).toMatchObject({ status: 200, text: expect.stringContaining('"ready"') })
    }
    const openapi = JSON.parse((await get(`${ingress.service.operationsUrl}/openapi.json`)).text)
    expect(openapi.paths).toHaveProperty('/derms/statusUpdate')
    expect((await get(`${ingress.service.operationsUrl}/docs`)).status).toBe(200)
  })
})

describe('the listener', () => {
  test('is for this machine alone, with a warning, unless TLS is ended here or before', async () => {
    await using ingress = await openIngress()
    expect(ingress.url).toMatch(/^http:\/\/127\.0\.0\.1:/)
    expect(ingress.logged.join()).toContain('only this machine is listened to')
    await using behindProxy = await openIngress({ ingress: { behindProxy: true } })
    expect(behindProxy.url).toMatch(/^http:\/\/localhost:/)
    expect(behindProxy.logged.join()).not.toContain('only this machine is listened to')
  })

  test('does not start with TLS files that cannot be used', async () => {
    const tls = { certFile: '/nowhere/tls.crt', keyFile: '/nowhere/tls.key' }
    await expect(openIngress({ ingress: { tls } })).rejects.toThrow('cannot be used')
  })
})

describe('the program', () => {
  test('takes messages as soon as it says so, and ends cleanly when it is told to', async () => {
    await using ingress = await openIngress()
    const file = join(ingress.directory, 'tieline.yaml')
    const clients = `[{ name: derms, flows: [enrollment-sync-ack], credentials: [{ basic: { username: derms, password: "\${PW}" } }] }]`
    await writeFile(
      file,
      `installation: { name: ${ingress.name} }\ningress: { clients: ${clients} }\nconnections: {}\n`,
    )
    const env = {
      ...process.env,
      PW: 'pw-derms',
      TIELINE_CONFIG: file,
      REDIS_URL: inject('redisUrl'),
      INGRESS_PORT: '0',
      METRICS_PORT: '0',
      DATA_DIR: ingress.directory,
    }
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const program = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(program, 'exit')
    for await (const line of createInterface({ input: program.stdout })) {
      const { msg, url } = JSON.parse(line)
      if (!msg.startsWith('Taking messages')) continue
      const response = await fetch(`${url}/derms/sendEnrollAck`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: basic('derms', 'pw-derms') },
        body: JSON.stringify(syncAck('SYNC-1')),
      })
      expect(response.status).toBe(202)
      program.kill('SIGTERM')
      break
    }
    expect(await ended).toEqual([0, null])
    expect(await ingress.field('enrollment-sync-ack.derms.SYNC-1', 'state')).toBe('accepted')
  })
})
