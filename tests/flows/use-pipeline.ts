import type { InboundFlowId } from '@tieline/contracts/flows'
import { type Pipeline, type PipelineOptions, startPipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, beforeEach, inject } from 'vitest'

type Changes = Pick<PipelineOptions, 'sections' | 'lookups' | 'connection'>

/** The services that F1 to F5 need. */
const services = ['enrollment', 'notifier'] as const

/** One pipeline for all tests of a file. Each test begins with nothing received and no instructions left. */
export function usePipeline(changes: Changes = {}): () => Pipeline {
  let started: Pipeline | undefined
  const pipeline = () => {
    if (started === undefined) throw new Error('The pipeline starts before the first test, not before the file')
    return started
  }
  beforeAll(async () => {
    started = await openPipeline(changes)
  })
  beforeEach(() => {
    const { dacs, derms, mailbox } = pipeline()
    dacs.reset()
    derms.reset()
    mailbox.reset()
  })
  afterAll(() => started?.[Symbol.asyncDispose]())
  return pipeline
}

export const openPipeline = (changes: Changes = {}): Promise<Pipeline> =>
  startPipeline({ ...changes, services, redisUrl: inject('redisUrl') })

/** Goes on trying for this long only: 0 is no second attempt, 1 exactly one. */
export const retryingFor = (flow: InboundFlowId, retryForS: number): Changes => ({
  sections: { flows: { [flow]: { retryForS } } },
})

/** Callers get a provisional reply after a second. */
export const replyingWithin1s = (flow: InboundFlowId): Changes => ({
  sections: { flows: { [flow]: { replyWithinS: 1 } } },
  connection: { timeoutMs: 10_000 },
})
