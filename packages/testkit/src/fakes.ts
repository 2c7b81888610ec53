import type { FailureCode } from '@tieline/contracts/failures'
import type { FlowId } from '@tieline/contracts/flows'
import type { Attempt, AttemptFile, CallOptions } from '@tieline/journal/types'
import type { CallResult, CallTarget } from '@tieline/runtime/call-target'
import { type Answer, backoff, CallError, type CallOutcome, never, type Retry } from '@tieline/runtime/error'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import type { Connections } from '@tieline/targets/connections'
import type { DacsOperation } from '@tieline/targets/dacs'
import type { DermsOperation } from '@tieline/targets/derms'
import type { OperationRequest } from '@tieline/targets/operations'
import { createMessageReaders } from '@tieline/worker-service/message-reader'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { Registry } from 'prom-client'

export const nowMs = Date.UTC(2024, 8, 1, 18, 0, 5, 123)
export const nowISO = '2024-09-01T18:00:05.000Z'

const installation = parseInstallation(
  `
ingress:
  clients:
    - { name: derms, credentials: [ { basic: { username: derms, password: derms-password } } ], flows: [enrollment-request] }
connections:
  DACS_A: { kind: dacs, baseUrl: "http://127.0.0.1:1", auth: none }
  DERMS_A: { kind: derms, baseUrl: "http://127.0.0.1:1", auth: none }
`,
  {},
  '/',
)

const logger = createLogger({ service: 'test', level: 'silent' })

/** What operations do, called with the segment, if there is one, and the body or content. */
type Operations<Name extends string> = Partial<Record<Name, (...args: never[]) => Promise<Answer>>>

export interface Clients {
  readonly dacs?: Operations<DacsOperation> & { readonly concurrency?: number }
  readonly derms?: Operations<DermsOperation>
  readonly kinds?: Connections['kinds']
}

/** What processors are made from, with scripted clients under every connection name. */
export const fakeDeps = (clients: Clients = {}, clock = () => nowMs, register = new Registry()): WorkerDeps => ({
  installation,
  logger,
  clock,
  register,
  openReader: createMessageReaders({ settings: installation.compat, register, logger, clock }),
  connections: {
    kinds: clients.kinds ?? { DACS_A: { kind: 'dacs' }, DERMS_A: { kind: 'derms' } },
    dacs: (name) => ({
      name,
      concurrency: clients.dacs?.concurrency ?? 1,
      call: callOf<DacsOperation>(clients.dacs),
      missing: async () => [],
    }),
    derms: (name) => ({ name, call: callOf<DermsOperation>(clients.derms) }),
    async [Symbol.asyncDispose]() {},
  },
})

const callOf =
  <Name extends string>(operations: Operations<Name> = {}) =>
  async (name: Name, { segment, body, content }: OperationRequest): Promise<Answer> => {
    const operation = operations[name] as ((...args: unknown[]) => Promise<Answer>) | undefined
    if (operation === undefined) throw new Error(`The fake has no ${name}`)
    return segment === undefined ? operation(body) : operation(segment, content ?? body)
  }

/** Like `Postponed` of the journal: no TielineError. */
export class Postponed extends Error {
  readonly untilMs: number
  constructor(untilMs: number) {
    super('Postponed')
    this.untilMs = untilMs
  }
}

/** An attempt without a journal: effects are kept like there, over calls of `process` with the same attempt. */
export function fakeAttempt(flow: FlowId, payload: unknown, requests: Record<string, string> = {}, file?: AttemptFile) {
  const kept = new Map<string, Ended<unknown>>()
  const pins: Record<string, string> = {}
  const notes: object[] = []
  const attempt: Attempt = {
    ...fakeJournal(requests),
    key: `${flow}.SITE1.1`,
    flow,
    instance: 'SITE1',
    id: '1',
    client: 'derms',
    generation: 1,
    number: 1,
    payload,
    file,
    division: undefined,
    acceptedAt: nowMs,
    failedSince: 0,
    signal: new AbortController().signal,
    async call<Operation extends string, Request, Result extends CallResult, Kept>(
      id: string,
      target: CallTarget<Operation, Request, Result>,
      operation: Operation,
      request: Request,
      options: CallOptions<Result, Kept> = {},
    ): Promise<Kept> {
      const known = kept.get(id)
      if (known) return endOf(known as Ended<Kept>)
      const ended = await endedCall(() => target.call(operation, request), options)
      kept.set(id, ended.error ? ended : JSON.parse(JSON.stringify(ended)))
      return endOf(ended)
    },
    effects: async () =>
      [...kept].map(([id, { state }]) => ({
        id,
        state,
        operation: 'call',
        connection: 'DACS_A',
        tries: 1,
        repeats: 0,
        at: nowMs,
      })),
    async note(entry) {
      notes.push(entry)
    },
    async pin(name, choose) {
      pins[name] ??= await choose()
      return pins[name]
    },
    postpone(untilMs) {
      throw new Postponed(untilMs)
    },
  }
  return { attempt, pins, notes, effects: kept }
}

const requestFlows: readonly FlowId[] = ['enrollment-sync', 'device-status-check']

/** Keeps what files are searched by nowhere, and knows requests by their terms and divisions. */
function fakeJournal(requests: Record<string, string>): Pick<Attempt, 'journal' | 'pen'> {
  const payloads = {
    async keep(chunks: AsyncIterable<Uint8Array>) {
      await Array.fromAsync(chunks)
      return { reference: 's-1' }
    },
  }
  const pipeline = () => {
    const answers: [null, unknown][] = []
    const add = (answer: unknown) => answers.push([null, answer])
    return {
      get length() {
        return answers.length
      },
      hkeys(key: string) {
        const terms = Object.keys(requests).filter((term) => key.endsWith(`:i:${term.toLowerCase()}`))
        add(terms.flatMap((term) => requestFlows.map((flow) => `${flow}.${term}`)))
      },
      hmget(key: string) {
        const [flow, term = ''] = key.slice(key.indexOf(':m:') + 3).split('.')
        add([flow, requests[term], '1'])
      },
      exec: async () => answers,
    }
  }
  return {
    journal: Object.assign(Object.create(null), { payloads, redis: { pipeline }, run: async () => ({ kind: 'ok' }) }),
    pen: Object.assign(Object.create(null), { write: async () => ({ kind: 'ok' }) }),
  }
}

interface Ended<Kept> {
  readonly state: 'confirmed' | 'refused'
  readonly result?: Kept | undefined
  readonly error?: CallError
}

function endOf<Kept>({ result, error }: Ended<Kept>): Kept {
  if (error) throw error
  return result as Kept
}

async function endedCall<Result extends CallResult, Kept>(
  call: () => Promise<Result>,
  { keep, keepRefusal, applied }: CallOptions<Result, Kept>,
): Promise<Ended<Kept>> {
  try {
    const result = await call()
    return { state: 'confirmed', result: keep?.(result) }
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    const result = applied?.(error)
    if (result !== undefined) return { state: 'confirmed', result }
    if (error.outcome !== 'refused') throw error
    return keepRefusal ? { state: 'refused', result: keepRefusal(error) } : { state: 'refused', error }
  }
}

export const answer = (body?: unknown): Answer => ({ status: 200, body, durationMs: 1 })

interface CallFacts {
  readonly retry?: Retry
  readonly outcome?: CallOutcome
  readonly farText?: string
  readonly farNumber?: number
}

/** A call that did not succeed, for lists of scripted ends. */
export const failed = (code: FailureCode, status?: number, facts: CallFacts = {}): CallError =>
  new CallError({
    code,
    retry: backoff,
    outcome: 'failed',
    connection: 'DACS_A',
    message: `DACS_A: call met ${code}`,
    durationMs: 1,
    ...(status !== undefined && { status }),
    ...facts,
  })

export const refused = (facts: CallFacts = {}): CallError =>
  failed('target-refused', 400, { retry: never, outcome: 'refused', ...facts })

export type Ends = (Answer | Error)[]

/** A client method that ends as the script says, call by call, and remembers what it was called with. */
export function scripted(...ends: Ends) {
  const calls: unknown[][] = []
  const method = async (...args: unknown[]): Promise<Answer> => {
    const end = ends[calls.length]
    calls.push(args)
    if (end === undefined) throw new Error('The script has no more ends')
    if (end instanceof Error) throw end
    return end
  }
  return { method, calls }
}

/** For `JSON.stringify`: notices as they are kept where the installation wants no words of the far side in e-mails. */
export const withoutDetails = (name: string, value: unknown): unknown => (name === 'details' ? undefined : value)
