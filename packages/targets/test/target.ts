import type { CallError } from '@tieline/runtime/error'
import { type AgentOptions, createAgents } from '../src/agents.ts'
import { type Call, createHttpTarget, type HttpTargetOptions } from '../src/http-target.ts'

/** A target as a connection builds it, with a short time limit. */
export async function createTestTarget(options: Partial<HttpTargetOptions> & AgentOptions = {}) {
  const agents = await createAgents(options)
  const target = createHttpTarget({
    name: 'FAR',
    agents,
    auth: 'none',
    timeoutMs: 5_000,
    concurrency: 16,
    pauseMs: 60_000,
    ...options,
  })
  return {
    post: (url: string, call: Partial<Call> = {}) =>
      target.call({ operation: 'enroll', method: 'POST', url, body: { name: 'Reyes' }, ...call }),
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  }
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<CallError> {
  const answer = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (answer === undefined) throw new Error('the call should have failed')
  return answer as CallError
}
