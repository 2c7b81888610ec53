import { flowSpec, inboundFlowIds } from '@tieline/contracts/flows'
import { describe, expect, test } from 'vitest'
import { findFlow } from '../src/routes.ts'
import { openIngress, settling, stageStatus, succeeded } from './harness.ts'

const oic = '/ic/api/integration'

describe('a flow is found', () => {
  test.each(inboundFlowIds)('under every path of %s, whatever version and project', (id) => {
    for (const path of flowSpec(id).paths) expect(findFlow(path)).toBe(id)
    for (const { processId, uri } of flowSpec(id).oicPaths) {
      for (const root of [
        `${oic}/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS`,
        `${oic}/v1/flows/rest/project/X`,
      ]) {
        expect(findFlow(`${root}/${processId}/1.0${uri}`)).toBe(id)
        expect(findFlow(`${root}/${processId}/01.24.2000${uri}`)).toBe(id)
      }
      expect(findFlow(`${oic}/v1/flows/oracleutilities/${processId}/1.0${uri}`)).toBe(id)
      expect(findFlow(`${oic}/v2/flows/rest/${processId}/1.0${uri}`)).toBe(id)
    }
  })

  test('as the two documents name the stage status', () => {
    const project = `${oic}/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS`
    expect(findFlow(`${project}/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate`)).toBe('stage-status')
    expect(findFlow(`${project}/OUTL-BA-DRMS_DACS_STAGE_STAT_UPD/1.0/stage-status-to-dacs`)).toBe('stage-status')
    expect(findFlow('/derms/stage-status-to-dacs')).toBe('stage-status')
  })

  test.each([
    '/derms/statusUpdate/',
    '//derms///statusUpdate//',
    `${oic}//v1/flows/rest/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate/`,
  ])('also under %s', (path) => expect(findFlow(path)).toBe('stage-status'))

  test.each([
    '/',
    '//',
    '/derms',
    '/DERMS/statusUpdate',
    '/derms/enroll',
    `${oic}/v3/flows/oracleutilities/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
    `${oic}/v1/flows/soap/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
    `${oic}/v1/flows/rest/OUTL-BA-DRMS_DACS_ENROLLRQ/enroll-to-dacs`,
    `${oic}/v1/flows/rest/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/sendEnrollAck`,
    `${oic}/v1/flows/rest/project/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
    `/x${oic}/v1/flows/rest/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
  ])('not under %s', (path) => expect(findFlow(path)).toBeUndefined())
})

describe('over HTTP', () => {
  test('a message reaches its flow under the URL of either document, and one known message under all of them', async () => {
    await using ingress = await openIngress()
    const processor = settling('stage-status', () => succeeded({ done: true }))
    await ingress.work(processor)
    const message = stageStatus()
    for (const path of [
      '/derms/statusUpdate?trace=1',
      '/derms/stage-status-to-dacs',
      '//derms//statusUpdate/',
      `${'/ic/api/integration'}/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate`,
      `${'/ic/api/integration'}/v1/flows/oracleutilities/OUTL-BA-DRMS_DACS_STAGE_STAT_UPD/1.0/stage-status-to-dacs`,
    ] as const)
      expect(await ingress.post(path, message)).toMatchObject({ status: 200, body: { done: true } })
    expect(processor.payloads).toHaveLength(1)
  })

  test('an unknown path is a 404 and another method a 405, and nothing is recorded', async () => {
    await using ingress = await openIngress()
    expect(await ingress.post('/derms/nothing', {})).toMatchObject({
      status: 404,
      body: { status: 404, code: 'unknown-path', type: 'about:blank' },
    })
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await ingress.post('stage-status', undefined, { method })
      expect(answer.status).toBe(405)
      expect(answer.headers.get('allow')).toBe('POST')
      if (method !== 'HEAD') expect(answer.body).toMatchObject({ status: 405, code: 'unknown-path' })
    }
    expect(await ingress.post('enrollment-sync', undefined, { method: 'GET' })).toMatchObject({
      status: 405,
      body: { 'o:errorCode': '405' },
    })
    expect(await ingress.recorded()).toEqual([])
  })
})
