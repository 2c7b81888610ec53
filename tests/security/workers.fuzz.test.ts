import { randomInt } from 'node:crypto'
import { examples } from '@tieline/contracts/examples'
import { type FileFlowId, inboundFlowIds, isFileFlow } from '@tieline/contracts/flows'
import { listMessages } from '@tieline/journal/operations'
import { settledStates } from '@tieline/journal/schema'
import { renderMultipart } from '@tieline/simulators/multipart'
import { eventually } from '@tieline/testkit/eventually'
import { startPipeline } from '@tieline/testkit/pipeline'
import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { mutated } from './mutations.ts'

test('whatever a message holds, a worker ends it, and never by an error of Tieline itself', async () => {
  const seed = randomInt(2 ** 31)
  const flows = Object.fromEntries(inboundFlowIds.map((flow) => [flow, { retryForS: 0 }]))
  await using pipeline = await startPipeline({ redisUrl: inject('redisUrl'), sections: { flows } })
  const { journal, post } = pipeline
  const send = (flow: FileFlowId, json: string, content: string) => {
    const { contentType, bytes } = renderMultipart('JSON', { name: 'devices.csv', content })
    const body = Buffer.from(bytes)
      .toString()
      .replace('"JSON"', () => json)
    return post(flow, body, { headers: { 'content-type': contentType } })
  }
  const csv = fc.oneof(
    fc.constant('nicId,headEndSystemId,stageId,outcome\nNIC-1,NEST,1315,SUCCESS\n'),
    fc
      .string({ unit: 'binary', maxLength: 80 })
      .map((text) => `stageId,nicId,headEndSystemId,outcome\n1315,${text},NEST,${text}\n`),
  )
  for (const flow of inboundFlowIds) {
    const message = fc.record({ body: mutated(examples[flow]), content: csv })
    await fc.assert(
      fc.asyncProperty(message, async ({ body, content }) => {
        const { status } = await (isFileFlow(flow) ? send(flow, body, content) : post(flow, body))
        expect([200, 202, 400, 403, 500, 503]).toContain(status)
      }),
      { numRuns: 20, seed },
    )
  }
  const messages = await eventually(async () => {
    const all = await listMessages(journal, { limit: 5_000 })
    return all.every(({ state }) => settledStates.some((end) => end === state)) && all
  })
  expect(
    messages.filter(({ code }) => code === 'internal'),
    `seed ${seed}`,
  ).toEqual([])
})
