import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { examples } from '../src/examples.ts'
import type { inboundFlowIds } from '../src/flows.ts'
import { usualMsgAckForm } from '../src/msg-ack.ts'
import { oicFault, oicFaultDocument } from '../src/oic-fault.ts'
import { describeIssues, problem, problemDocument } from '../src/problem.ts'
import { externalIdReply, ownIds, provisionalReply } from '../src/replies.ts'

const nowISO = '2024-09-01T18:00:00.000Z'
const provisional = (flow: (typeof inboundFlowIds)[number]) =>
  provisionalReply(flow, { ids: ['M1'], form: usualMsgAckForm, nowISO })

describe('replies', () => {
  test('a provisional reply makes DERMS send again', () => {
    expect(provisional('stage-status')).toEqual({
      status: 200,
      body: {
        MsgAck: {
          ackType: 'FAILURE',
          whenISO: nowISO,
          responses: {
            response: [{ id: 'M1', value: 'IN_PROGRESS', responseCode: 'FAILURE', responseTimeISO: nowISO }],
          },
        },
      },
    })
    expect(JSON.stringify(provisional('device-status-ack'))).toContain('"dacsMessageId":"M1"')
  })

  test('every record of an enrollment request has an answer, also one without an id', () => {
    expect(ownIds('enrollment-request', { params: [{ messageId: 'E1' }, {}, { messageId: 'E2' }] })).toEqual([
      'E1',
      '',
      'E2',
    ])
    expect(ownIds('enrollment-request', {})).toEqual([''])
    expect(ownIds('stage-status', { messageId: 'S1' })).toEqual(['S1'])
    expect(ownIds('device-status-ack', { dacsMessageId: 'D1' })).toEqual(['D1'])
  })

  test('a provisional reply makes DACS send again', () => {
    for (const flow of ['enrollment-sync', 'device-status-check'] as const) {
      expect(provisional(flow).status).toBe(503)
      expect(oicFaultDocument.parse(provisional(flow).body)).toMatchObject({ 'o:errorCode': '503' })
    }
  })

  test('DACS is answered with the id it gave', () => {
    expect(externalIdReply('26550147098960')).toEqual({ status: 200, body: examples['enrollment-sync.reply'] })
  })

  test('a fault to DACS has the form of the golden example', () => {
    const fault = oicFault({
      status: 500,
      detail: 'DERMS is not accessible',
      instance: 'postDRMSEnrollmentSync',
      errorCode: 'APIInvocationError',
      cause: 'HTTP 503',
    })
    expect(fault).toEqual(examples['enrollment-sync.fault'])
  })

  test('a fault names every field at fault', () => {
    const errors = [
      { path: 'sendDetails.syncRequestId', rule: 'at most 14 characters' },
      { path: 'sendDetails.contactInfo', rule: 'expected object' },
    ]
    const fault = oicFault({
      status: 400,
      title: 'No',
      detail: 'd',
      instance: 'i',
      errorCode: 'contract-violation',
      errors,
    })
    expect(fault['o:errorDetails'].map((entry) => entry['o:errorPath'])).toEqual(errors.map((error) => error.path))
    expect(fault.type).toMatch(/sec10\.4\.1$/)
    expect(fault.title).toBe('No')
    expect(oicFault({ status: 429, detail: '', instance: '', errorCode: '' }).type).toBe('about:blank')
  })

  test('a problem document is the golden example', () => {
    const { status, detail, code, errors } = examples.problem
    expect(problem({ status, detail, code, errors })).toEqual(examples.problem)
    expect(problemDocument.parse(problem({ status: 404, detail: 'd', code: 'c' }))).not.toHaveProperty('errors')
  })

  test('the faults of a parse name paths and rules, never values or foreign names', () => {
    const schema = z.strictObject({
      a: z.string().max(3),
      b: z.enum(['X', 'Y']),
      c: z.iso.date(),
      d: z.array(z.object({ e: z.number() })).min(2),
      f: z.string().min(1),
      g: z.union([z.stringFormat('date-time', () => false), z.literal('')]),
      h: z.string().refine(() => false, 'only with g'),
    })
    const marked = {
      a: 'SECRET-1',
      b: 'SECRET-2',
      c: 'SECRET-3',
      d: [{ e: 'SECRET-4' }],
      f: '',
      g: 'SECRET-5',
      h: 'SECRET-6',
    }
    const { error } = schema.safeParse({ ...marked, 'SECRET-7': 1 })
    const issues = describeIssues(error ?? new z.ZodError([]))
    expect(issues).toEqual(
      expect.arrayContaining([
        { path: 'a', rule: 'at most 3 characters' },
        { path: 'b', rule: 'one of X, Y' },
        { path: 'c', rule: 'expected date' },
        { path: 'd.0.e', rule: 'expected number' },
        { path: 'f', rule: 'must not be empty' },
        { path: 'g', rule: 'expected date-time' },
        { path: 'h', rule: 'only with g' },
        { path: '', rule: 'unknown field' },
      ]),
    )
    expect(JSON.stringify(issues)).not.toContain('SECRET')
    expect(JSON.stringify(issues)).toContain('at least 2 entries')
  })

  test('the faults of a parse are at most fifty', () => {
    const { error } = z.array(z.string()).safeParse(Array.from({ length: 80 }, () => 1))
    expect(describeIssues(error ?? new z.ZodError([]))).toHaveLength(50)
  })
})
