import { randomBytes, scryptSync } from 'node:crypto'
import { startConsole } from '@tieline/console/service'
import { rerunAll } from '@tieline/journal/bulk'
import { listMessages } from '@tieline/journal/operations'
import { outageKinds, startDacsWithOutages } from '@tieline/testkit/dacs-outages'
import { eventually } from '@tieline/testkit/eventually'
import { credentials } from '@tieline/testkit/installation'
import type { Pipeline } from '@tieline/testkit/pipeline'
import { describe, expect, test } from 'vitest'
import { acknowledged, keyOf, openPipeline, scheduled, send } from './stages.ts'

const operator = { username: 'ana', password: 'correct horse battery' }

const startDacs = () => startDacsWithOutages({ auth: { basic: credentials.dacsTarget } })

async function openWithDacs(url: string): Promise<Pipeline> {
  const salt = randomBytes(16)
  const hash = scryptSync(operator.password, salt, 32, { N: 16, r: 8, p: 1 })
  const passwordHash = `scrypt:16:8:1:${salt.toString('base64')}:${hash.toString('base64')}`
  return openPipeline({
    dacs: { baseUrl: `${url}/tenant/test/dac/rest/apis`, timeoutMs: 150 },
    sections: {
      flows: { 'stage-status': { retryForS: 0 } },
      console: { users: [{ name: operator.username, passwordHash, role: 'operator' }] },
    },
  })
}

/** Every way to resubmit what is dead; the newest first wherever somebody can choose. */
const ways = {
  async 'dead resubmit --filter'({ tieline }: Pipeline) {
    const { code, out, err } = await tieline('dead', 'resubmit', '--filter', 'flow=F7', '--reason', 'DACS is back')
    expect({ code, out, err }).toEqual({ code: 0, out: '4 of 4 dead letters resubmitted.\n', err: '' })
  },
  async 'the operations of the journal'({ journal }: Pipeline) {
    const dead = await listMessages(journal, { state: 'dead', flow: 'stage-status' })
    const { done } = await rerunAll(journal, dead, { who: 'ana', why: 'DACS is back', onlyDead: true })
    expect(done).toBe(4)
  },
  async "Bull Board's Retry all"({ settings }: Pipeline) {
    await using web = await startConsole(settings)
    const response = await fetch(`${web.url}/queues/api/queues/stage-status/retry/failed`, {
      method: 'PUT',
      headers: {
        authorization: `Basic ${btoa(`${operator.username}:${operator.password}`)}`,
        'sec-fetch-site': 'same-origin',
      },
    })
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { retried: 4, skipped: 0 },
    })
  },
}

describe('an outage of DACS that is longer than the trying', () => {
  test('leaves every stage whole, however it showed and however its dead letters are resubmitted', async () => {
    await using dacs = await startDacs()
    await using pipeline = await openWithDacs(dacs.url)
    const queue = pipeline.journal.queues.all.find(({ name }) => name === 'stage-status')
    for (const outage of outageKinds) {
      for (const [way, resubmit] of Object.entries(ways)) {
        const label = `${outage}, ${way}`
        const end = await dacs.begin(outage)
        const stages = [1, 2].map((n) => `${label} ${n}`)
        await Promise.all(
          stages.map(async (stageId) => {
            for (const stageStatus of ['SCHEDULED', 'IN_PROGRESS']) {
              const message = { ...scheduled, messageId: `${stageStatus} ${stageId}`, stageId, stageStatus }
              expect(await send(pipeline, message), label).toMatchObject({ body: { MsgAck: { ackType: 'FAILURE' } } })
            }
          }),
        )
        await eventually(async () => (await queue?.getFailedCount()) === 4)
        await end()
        await resubmit(pipeline)
        for (const stageId of stages) {
          const messages = ['SCHEDULED', 'IN_PROGRESS'].map((status) => ({ messageId: `${status} ${stageId}` }))
          for (const { messageId } of messages) {
            const key = `stage-status.SITE1.${encodeURIComponent(messageId).replaceAll("'", '%27')}`
            expect(await pipeline.until(key, 'succeeded', 'superseded', 'refused', 'dead'), label).toMatchObject({
              state: 'succeeded',
              generation: 2,
            })
          }
          expect(dacs.simulator.programEvents.get(stageId)?.history, label).toEqual(['X1SD', 'X1IP'])
        }
        expect(await listMessages(pipeline.journal, { state: 'dead', flow: 'stage-status' }), label).toEqual([])
        await eventually(async () => (await queue?.getFailedCount()) === 0)
      }
    }
  })

  test('an older status is sent again after a later one was answered only if somebody insists', async () => {
    await using dacs = await startDacs()
    await using pipeline = await openWithDacs(dacs.url)
    const end = await dacs.begin('503')
    expect(await send(pipeline, scheduled)).toMatchObject({ body: { MsgAck: { ackType: 'FAILURE' } } })
    await end()
    const later = { ...scheduled, messageId: 'STG-1315-2', stageStatus: 'IN_PROGRESS' }
    expect(await send(pipeline, later)).toEqual(
      acknowledged('ERROR', later, 'Program event not found: Event 1315 does not exist'),
    )
    const rerun = (...more: string[]) =>
      pipeline.tieline('messages', 'rerun', keyOf(scheduled), ...more, '--reason', 'DACS has no event')
    expect(await rerun()).toMatchObject({ code: 0 })
    expect(await pipeline.until(keyOf(scheduled), 'superseded')).toMatchObject({ code: 'superseded', generation: 2 })
    expect(dacs.simulator.programEvents.get('1315')).toBeUndefined()
    expect(await rerun('--force')).toMatchObject({ code: 0 })
    const { timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(timeline).toContainEqual(expect.objectContaining({ what: 'rerun', force: true, generation: 3 }))
    expect(dacs.simulator.programEvents.get('1315')?.history).toEqual(['X1SD'])
    // Insisting holds for one run alone.
    dacs.simulator.reset()
    expect(await rerun('--from-start')).toMatchObject({ code: 0 })
    await pipeline.until(keyOf(scheduled), 'superseded')
    expect(dacs.simulator.received).toEqual([])
  })
})
