import { once } from 'node:events'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { examples } from '@tieline/contracts/examples'
import { describe, expect, test } from 'vitest'
import { basic, openIngress, settling, stageStatus, succeeded, syncAck } from './harness.ts'

const mib = 2 ** 20

/** A request whose body is sent piece by piece. */
function openRequest(url: string, headers: Record<string, string> = {}) {
  const sending = request(`${url}/derms/statusUpdate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basic('derms', 'pw-derms'), ...headers },
  })
  sending.flushHeaders()
  // The far end may close before it has read everything.
  sending.on('error', () => undefined)
  const answered = once(sending, 'response').then(async ([response]) => {
    let text = ''
    for await (const piece of response) text += piece
    return { status: response.statusCode as number, body: JSON.parse(text) }
  })
  answered.catch(() => undefined)
  return { sending, answered }
}

describe('a body', () => {
  test('is read as JSON, whatever the kind of JSON, the charset of JSON and a byte order mark', async () => {
    await using ingress = await openIngress()
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON;charset="UTF-8"',
      'application/vnd.oracle.resource+json; type=singular',
    ])
      expect(
        (await ingress.post('enrollment-sync-ack', syncAck('A'), { headers: { 'content-type': type } })).status,
      ).toBe(202)
    expect((await ingress.post('enrollment-sync-ack', `\ufeff${JSON.stringify(syncAck('A'))}`)).status).toBe(202)
    const identity = { headers: { 'content-encoding': 'identity' } }
    expect((await ingress.post('enrollment-sync-ack', syncAck('A'), identity)).status).toBe(202)
  })

  test.each([
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': 'text/json' }],
    [{ 'content-type': 'application/jsonp' }],
    [{ 'content-type': 'application/x-www-form-urlencoded' }],
    [{ 'content-type': 'multipart/form-data; boundary=x' }],
    [{ 'content-type': 'application/json; charset=iso-8859-1' }],
    [{ 'content-type': '' }],
  ])('of another kind is refused with 415: %o', async (headers) => {
    await using ingress = await openIngress()
    const answer = await ingress.post('stage-status', Buffer.from(JSON.stringify(stageStatus())), { headers })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
    expect(await ingress.recorded()).toEqual([])
  })

  test('that is compressed is refused with 415', async () => {
    await using ingress = await openIngress()
    const headers = { 'content-encoding': 'gzip' }
    const answer = await ingress.post('stage-status', gzipSync(JSON.stringify(stageStatus())), { headers })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
  })

  test.each<[string, string | Buffer, string]>([
    ['empty', '', 'not JSON'],
    ['broken off', '{"messageId":"SECRET-1",', 'stopped at position 24'],
    ['broken', '{"messageId":SECRET-1 at position 7}', 'not JSON'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'not UTF-8'],
    ['a list', '["SECRET-1"]', 'must be a JSON object'],
    ['a text', '"SECRET-1"', 'must be a JSON object'],
    ['nothing', 'null', 'must be a JSON object'],
    ['nested too deep', `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`, 'nests too deep'],
    ['nested far too deep', `{"a":${'['.repeat(3 * mib)}${']'.repeat(3 * mib)}}`, 'nests too deep'],
  ])('that is %s is refused with 400 and never quoted', async (_, body, detail) => {
    await using ingress = await openIngress()
    const answer = await ingress.post('stage-status', body)
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-body' } })
    expect(answer.body.detail).toContain(detail)
    if (detail === 'not JSON') expect(answer.body.detail).not.toContain('position')
    expect(JSON.stringify(answer.body) + ingress.logged.join()).not.toContain('SECRET')
    expect(await ingress.recorded()).toEqual([])
  })

  test('of 11 MiB is refused with 413, before it is read', async () => {
    await using ingress = await openIngress()
    const answer = await ingress.post('stage-status', stageStatus({ cancelReason: 'x'.repeat(11 * mib) }))
    expect(answer).toMatchObject({ status: 413, body: { code: 'too-large' } })

    const { sending, answered } = openRequest(ingress.url, { 'content-length': String(11 * mib) })
    expect(await answered).toMatchObject({ status: 413 })
    sending.destroy()
    expect(await ingress.recorded()).toEqual([])
  })

  test('that grows too large without saying so is refused with 413 as soon as it does', async () => {
    await using ingress = await openIngress({ ingress: { maxJsonBytes: 100_000 } })
    const { sending, answered } = openRequest(ingress.url)
    sending.write(`{"a":"${'x'.repeat(60_000)}`)
    sending.write('x'.repeat(60_000))
    expect(await answered).toMatchObject({ status: 413, body: { code: 'too-large' } })
    sending.destroy()
    expect(await ingress.recorded()).toEqual([])
  })

  test('of just the largest size is taken', async () => {
    const message = JSON.stringify(syncAck('A'))
    await using ingress = await openIngress({ ingress: { maxJsonBytes: message.length } })
    expect((await ingress.post('enrollment-sync-ack', message)).status).toBe(202)
    expect((await ingress.post('enrollment-sync-ack', `${message} `)).status).toBe(413)
  })

  test('with more records than may be is refused with 413, which says how many may be, and with as many it is taken', async () => {
    await using ingress = await openIngress({ ingress: { maxRecords: 3 } })
    const records = (count: number) => Array.from({ length: count }, () => ({ dacsMessageId: 'A' }))
    const ack = (count: number) => ({ MsgAck: { ackType: 'SUCCESS', responses: { response: records(count) } } })
    for (const [flow, body, path] of [
      ['enrollment-request', { params: records(4) }, 'params'],
      ['enrollment-sync-ack', ack(4), 'responses'],
    ] as const) {
      expect(await ingress.post(flow, body)).toMatchObject({
        status: 413,
        body: {
          code: 'too-large',
          detail: 'The message has 4 records; ingress.maxRecords allows 3. Send them in several messages',
          errors: [{ path, rule: 'at most 3 records' }],
        },
      })
    }
    expect(await ingress.recorded()).toEqual([])
    expect((await ingress.post('enrollment-sync-ack', ack(3))).status).toBe(202)
  })

  test('of ten thousands of records costs little more than its reading: 5,000 may be unless told', async () => {
    await using ingress = await openIngress()
    const answer = await ingress.post('enrollment-request', { params: Array.from({ length: 49_000 }, () => ({})) })
    expect(answer.status).toBe(413)
    expect(JSON.stringify(answer.body).length).toBeLessThan(1_000)
  })

  test('that stalls is refused with 408', async () => {
    await using ingress = await openIngress({ tuning: { idleMs: 200 } })
    const { sending, answered } = openRequest(ingress.url)
    sending.write('{"a":')
    expect(await answered).toMatchObject({ status: 408, body: { title: 'Request Timeout', code: 'malformed-body' } })
    sending.destroy()
    expect(await ingress.recorded()).toEqual([])
  })

  test('may come slowly as long as it comes', async () => {
    await using ingress = await openIngress({ tuning: { idleMs: 1_000 } })
    const { sending, answered } = openRequest(ingress.url)
    const text = JSON.stringify(stageStatus())
    for (let i = 0; i < 6; i++) {
      sending.write(text.slice(i * 20, (i + 1) * 20))
      // Together longer than the time limit, each pause shorter.
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    sending.end(text.slice(120))
    expect(await answered).toMatchObject({ status: 200 })
  })

  test('that breaks off leaves nothing behind, and the ingress goes on', async () => {
    await using ingress = await openIngress()
    const { sending } = openRequest(ingress.url)
    await new Promise<void>((resolve) => sending.write('{"a":', () => resolve()))
    sending.destroy()
    await expect.poll(() => ingress.logged.join()).toContain('malformed-body')
    expect(await ingress.recorded()).toEqual([])
    expect((await ingress.post('enrollment-sync-ack', syncAck('A'))).status).toBe(202)
  })

  test('with a field called __proto__ changes nothing but itself', async () => {
    await using ingress = await openIngress({ sections: { compat: { fieldAliases: { 'stage-status': { a: 'b' } } } } })
    const processor = settling('stage-status', () => succeeded({}))
    await ingress.work(processor)
    const text = JSON.stringify(stageStatus()).replace('{', '{"__proto__":{"drmsInstanceId":"EVIL","polluted":1},')
    expect((await ingress.post('stage-status', text)).status).toBe(200)
    expect('polluted' in {}).toBe(false)
    expect(Object.keys(processor.payloads[0] as object)).toContain('__proto__')
    expect(processor.payloads[0]).toMatchObject({ drmsInstanceId: 'SITE1' })
    const sync = JSON.stringify(examples['enrollment-sync']).replace(
      '"contactInfo":{',
      '"contactInfo":{"__proto__":{"p":1},',
    )
    expect((await ingress.post('enrollment-sync', sync)).status).toBe(503)
    expect('p' in {}).toBe(false)
  })
})

describe('a contract', () => {
  test('that a message of F3 breaks is told with paths and rules, never values', async () => {
    await using ingress = await openIngress()
    const broken = { ackType: 'SUCCESS', responses: [{ dacsMessageId: 'SECRET-LONGER-THAN-14' }, { id: 'SECRET' }] }
    const answer = await ingress.post('enrollment-sync-ack', broken)
    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: 'contract-violation',
        errors: [
          { path: 'responses.0.dacsMessageId', rule: 'at most 14 characters' },
          { path: 'responses.1.dacsMessageId', rule: 'expected string' },
        ],
      },
    })
    expect(JSON.stringify(answer.body) + ingress.logged.join()).not.toMatch(/SECRET-LONGER|"SECRET"/)
    expect((await ingress.post('enrollment-sync-ack', { hello: 1 })).body.errors).toEqual([
      { path: '', rule: 'expected a MsgAck' },
    ])
    expect(await ingress.recorded()).toEqual([])
  })

  test('that a message of F2 or F4 breaks is told as a fault with one detail for each field', async () => {
    await using ingress = await openIngress()
    for (const [flow, body, path] of [
      ['enrollment-sync', { sendDetails: { contactInfo: {} } }, 'sendDetails.syncRequestId'],
      ['device-status-check', { sendDetails: { communicationId: 'C' } }, 'sendDetails.deviceInfo'],
    ] as const) {
      const answer = await ingress.post(flow, body)
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({
        'o:errorCode': '400',
        'o:errorDetails': [{ 'o:errorPath': path, 'o:errorCode': 'contract-violation', instance: flow }],
      })
    }
    expect(await ingress.recorded()).toEqual([])
  })

  test('that a message of an answered flow breaks is for its worker to judge', async () => {
    await using ingress = await openIngress()
    const processor = settling('stage-status', () => succeeded({ told: 'by the worker' }))
    await ingress.work(processor)
    expect((await ingress.post('stage-status', { hello: 1 })).body).toEqual({ told: 'by the worker' })
    expect(processor.payloads).toEqual([{ hello: 1 }])
  })
})

describe('field aliases', () => {
  const sections = {
    compat: {
      fieldAliases: { 'stage-status': { instance: 'drmsInstanceId', msgId: 'messageId', status: 'stageStatus' } },
    },
  }

  test('rename fields at any depth before anything is read of the message', async () => {
    await using ingress = await openIngress({ sections })
    const processor = settling('stage-status', () => succeeded({}))
    await ingress.work(processor)
    const sent = {
      instance: 'SITE9',
      msgId: 'M-1',
      deep: [{ status: 1, stageStatus: 2 }, { status: 3 }],
      constructor: 4,
    }
    expect((await ingress.post('stage-status', sent)).status).toBe(200)
    expect(await ingress.field('stage-status.SITE9.M-1', 'state')).toBe('succeeded')
    expect(processor.payloads).toEqual([
      {
        drmsInstanceId: 'SITE9',
        messageId: 'M-1',
        deep: [{ status: 1, stageStatus: 2 }, { stageStatus: 3 }],
        constructor: 4,
      },
    ])
  })

  test('are for their flow alone, and do not open other instances', async () => {
    const clients = [
      {
        name: 'derms',
        flows: ['stage-status', 'device-status-ack'],
        instances: ['SITE1'],
        credentials: [{ basic: { username: 'derms', password: 'pw-derms' } }],
      },
    ]
    await using ingress = await openIngress({ sections, ingress: { clients } })
    expect((await ingress.post('stage-status', { instance: 'SITE2', msgId: 'M-1' })).status).toBe(403)
    await ingress.post('device-status-ack', { dacsMessageId: 'D-1', status: 'X' })
    expect(await ingress.field('device-status-ack.derms.D-1', 'state')).toBe('accepted')
  })
})
