import { examples } from '@tieline/contracts/examples'
import { flowSpec, type InboundFlowId, inboundFlowIds, isFileFlow } from '@tieline/contracts/flows'
import type { KeptRefusal } from '@tieline/journal/refusals/refusals'
import { createLogger } from '@tieline/runtime/logger'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { eventually } from '@tieline/testkit/eventually'
import { credentials } from '@tieline/testkit/installation'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { scrape, valuesOf } from '../observe/exposition.ts'
import { enrollmentSync, keyOf } from './golden-messages.ts'

/** Stands in refused messages for what is personal. */
const planted = 'Okafor-planted'

/** A message of each flow that is refused at the door: its contract is broken where the door looks, else it is no JSON. */
const refused: Readonly<Record<InboundFlowId, unknown>> = {
  'enrollment-request': `{"params": [{"customerInfo": {"name": "${planted}"}}`,
  'enrollment-sync': { sendDetails: { syncRequestId: { of: planted }, contactInfo: { name: planted } } },
  'enrollment-sync-ack': { ackType: 'SUCCESS', responses: { of: { value: planted } }, dacsMessageId: planted },
  'device-status-check': { sendDetails: { communicationId: { of: planted } } },
  'device-status-ack': `{"dacsMessageId": "C-1", "value": ${planted}`,
  'event-reservation': { messageId: { of: planted }, drmsInstanceId: 'SITE1' },
  'stage-status': `{"messageId": "S-1", "cancelReason": ${planted}`,
  'event-outcome': { messageId: { of: planted }, drmsInstanceId: 'SITE1' },
}

const clientOf = (flow: InboundFlowId) => flowSpec(flow).caller.toLowerCase()

describe('a request of a known client that is refused at the door', () => {
  const lines: string[] = []
  let pipeline: Pipeline
  const json = async (...args: string[]): Promise<KeptRefusal[]> =>
    JSON.parse((await pipeline.tieline(...args, '--json')).out) as KeptRefusal[]

  beforeAll(async () => {
    const destination = { write: (line: string) => void lines.push(line) }
    pipeline = await startPipeline({
      redisUrl: inject('redisUrl'),
      services: ['notifier'],
      logger: createLogger({ service: 'test', level: 'info', destination }),
    })
    for (const flow of inboundFlowIds) {
      for (const _ of ['the first', 'one of the same kind']) {
        const body = refused[flow]
        const answer = isFileFlow(flow)
          ? await pipeline.postFile(flow, body, { name: 'devices.csv', content: `nicId\n${planted}\n` })
          : await pipeline.post(flow, body)
        expect({ flow, status: answer.status }).toEqual({ flow, status: 400 })
      }
    }
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  it('appears in `refusals list`, whatever its flow, with the fields at fault', async () => {
    const kept = await eventually(async () => {
      const found = await json('refusals', 'list')
      return found.length === 2 * inboundFlowIds.length && found
    })
    for (const flow of inboundFlowIds) {
      expect(kept.filter((one) => one.flow === flow)).toMatchObject(
        Array(2).fill({ client: clientOf(flow), status: 400, code: expect.stringMatching(/contract-viol|malformed/) }),
      )
    }
    const fields = (flow: InboundFlowId) => kept.find((one) => one.flow === flow)?.errors.map(({ path }) => path)
    expect(fields('enrollment-sync')).toContain('sendDetails.syncRequestId')
    expect(fields('event-outcome')).toContain('messageId')
    const { out } = await pipeline.tieline('refusals', 'list', '--flow', 'F2', '--client', 'dacs')
    expect(out).toMatch(/R\S+ +F2 +dacs +400 +contract-violation +sendDetails\.syncRequestId/)
    expect(await json('refusals', 'list', '--client', 'dacs', '--code', 'malformed-body')).toEqual([])
  })

  it('is told in one e-mail a kind; what follows of the kind waits for the digest', async () => {
    const { mailbox, journal } = pipeline
    const subjects = await eventually(() => mailbox.mails.length >= inboundFlowIds.length && mailbox.mails)
    const about = inboundFlowIds.map((flow) => `${flowSpec(flow).code} ${flowSpec(flow).title}: `)
    for (const start of about) expect(subjects.filter(({ subject }) => subject.includes(start))).toHaveLength(1)
    const window = `${journal.base}:w:refusal/enrollment-sync/dacs/contract-violation`
    await eventually(async () => (await journal.redis.hget(window, 'count')) === '1')
    const [mail] = mailbox.mails.filter(({ subject }) => subject.includes('F2 '))
    expect(mail?.text).toContain('a request of dacs was refused at the door')
    expect(mail?.text).toContain('sendDetails.syncRequestId: expected string')
    expect(mail?.text).toMatch(/pnpm tieline refusals show R\S+/)
  })

  it('is in the metric and in the log, with nothing of what it said; in Redis that is sealed', async () => {
    const pages = await scrape(lines)
    for (const flow of inboundFlowIds) {
      const counted = valuesOf(pages, 'tieline_ingress_refusals_total', { flow, client: clientOf(flow) })
      expect({ flow, sum: counted.reduce((sum, one) => sum + one, 0) }).toEqual({ flow, sum: 2 })
    }
    expect(lines.join('')).toMatch(/"flow":"enrollment-sync".*"paths":\["sendDetails\.syncRequestId/)
    const { redis, journal, mailbox } = pipeline
    const keys = await keysMatching(redis, `{${journal.installation}}*:d[rb]:*`)
    expect(keys.length).toBeGreaterThanOrEqual(2 * 2 * inboundFlowIds.length)
    const stored = await Promise.all(
      keys.map(async (key) =>
        (await redis.type(key)) === 'hash' ? JSON.stringify(await redis.hgetall(key)) : redis.get(key),
      ),
    )
    for (const told of [...pages, lines.join(''), JSON.stringify(mailbox.mails), ...stored]) {
      expect(told).not.toContain(planted)
    }
  })

  it('is shown without values, and how its body began only for a reason, which is audited', async () => {
    const [{ id } = { id: '' }] = await json('refusals', 'list', '--flow', 'F9')
    const { out } = await pipeline.tieline('refusals', 'show', id)
    expect(out).toMatch(/messageId +expected string/)
    expect(out).not.toContain(planted)
    expect(await pipeline.tieline('refusals', 'show', id, '--body')).toMatchObject({ code: 2 })
    const why = ['--reason', 'which field is it', '--who', 'ann']
    const revealed = await pipeline.tieline('refusals', 'show', id, '--body', ...why)
    expect(revealed.out).toContain(`"messageId":{"of":"${planted}"}`)
    expect(revealed.out).toContain(`nicId\n${planted}`)
    expect((await pipeline.tieline('audit', 'list')).out).toMatch(/ann +reveal +R\S+ +which field is it/)
    expect(await pipeline.tieline('refusals', 'show', 'R0-nothing')).toMatchObject({ code: 1 })
  })

  it.each([
    ['for a flow that is not its own', 403, 'not-allowed', { authorization: basicAuthorization(credentials.dacs) }],
    ['of another media type', 415, 'unsupported-media-type', { 'content-type': 'text/plain' }],
    ['that is compressed', 415, 'unsupported-media-type', { 'content-encoding': 'gzip' }],
  ])('%s is kept too, with its body', async (_, status, code, headers) => {
    const messageId = `M-${code}-${status}-${Object.keys(headers)}`
    const body = JSON.stringify({ messageId, cancelReason: planted })
    expect(await pipeline.post('stage-status', body, { headers })).toMatchObject({ status })
    const body2 = await eventually(async () => {
      const [kept] = await json('refusals', 'list', '--flow', 'F7', '--code', code, '--limit', '1')
      const shown = kept && (await pipeline.tieline('refusals', 'show', kept.id, '--body', '--reason', 'test'))
      return shown?.out.includes(body) && shown.out
    })
    expect(body2).toContain(`HTTP ${status}`)
    expect((await pipeline.tieline('messages', 'find', messageId)).err).toContain(
      'was refused at the door: refusals show R',
    )
  })

  it('of an unknown caller is not kept', async () => {
    const before = (await json('refusals', 'list')).length
    await pipeline.post('stage-status', '{', { headers: { authorization: 'Basic bm9ib2R5' } })
    await pipeline.post('stage-status', '{')
    await eventually(async () => (await json('refusals', 'list')).length === before + 1)
  })

  it('needs attention until somebody discards it, and stays kept', async () => {
    const attention = async () => (await pipeline.tieline('attention', 'list', '--flow', 'F2')).out
    expect(await attention()).toMatch(/R\S+ +refused at the door +F2 +dacs +contract-violation/)
    const filter = ['--filter', 'flow=F2,code=contract-violation']
    const rerun = await pipeline.tieline('attention', 'rerun', ...filter, '--reason', 'x')
    expect(rerun.out).toContain('2 refused at the door cannot be run from here')
    const discarded = await pipeline.tieline('attention', 'discard', ...filter, '--reason', 'DACS is told')
    expect(discarded).toMatchObject({ code: 0, out: '2 of 2 discarded.\n' })
    expect(await attention()).toBe('Nothing needs attention.\n')
    expect(await json('refusals', 'list', '--flow', 'F2')).toHaveLength(2)
  })
})

describe('messages that a lookup without a row refuses', () => {
  it('are run again by one filter once the row is there: 300 of them are 300 calls', async () => {
    const count = 300
    await using pipeline = await startPipeline({
      redisUrl: inject('redisUrl'),
      services: ['enrollment', 'notifier'],
      sections: { mail: { url: 'smtp://127.0.0.1:9', digestMinutes: 15 } },
    })
    const { derms, post, tieline, until } = pipeline
    const [device] = examples['enrollment-sync'].sendDetails.locationInfo.controllableDevices
    const controllableDevices = [{ ...device, deviceLocationStatus: 'D1ZZ' }]
    const bodies = Array.from({ length: count }, (_, i) =>
      enrollmentSync(String(4_000 + i), { locationInfo: { controllableDevices } }),
    )
    const [first = '', ...others] = bodies.map((body) => keyOf('enrollment-sync', body))
    const answers = await Promise.all(bodies.map((body) => post('enrollment-sync', body)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([500]))
    expect(derms.received).toEqual([])

    const filter = ['--filter', 'flow=F2,code=lookup-missing,client=dacs,since=1h']
    const look = await tieline('attention', 'rerun', ...filter, '--dry-run')
    expect(look.out).toMatch(/^count .*\n300 +refused +F2 +lookup-missing/)
    expect(look.out).toContain('300 would be rerun; nothing was changed.')
    const row = ['DeviceLocationStatus', 'D1ZZ', 'Active']
    expect(await tieline('lookups', 'set', ...row, '--reason', 'new in DACS')).toMatchObject({ code: 0 })
    await eventually(async () => {
      // A worker follows the lookups by itself.
      const { code } = await tieline('attention', 'rerun', first, '--reason', 'whether it is known yet')
      return code === 0 && (await until(first, 'succeeded', 'refused')).state === 'succeeded'
    })
    const all = await tieline('attention', 'rerun', ...filter, '--reason', 'the row is there')
    expect(all).toMatchObject({ code: 0, out: `${count - 1} of ${count - 1} run again.\n` })
    for (const key of others) await until(key, 'succeeded')
    expect(derms.count('enroll')).toBe(count)

    const onConnection = async (name: string) =>
      JSON.parse((await tieline('messages', 'list', '--connection', name, '--limit', '999', '--json')).out) as unknown[]
    expect([await onConnection('DERMS_SITE1'), await onConnection('DACS_MAIN')].map(({ length }) => length)).toEqual([
      count,
      0,
    ])
    expect((await tieline('attention', 'list')).out).toBe('Nothing needs attention.\n')
  })
})
