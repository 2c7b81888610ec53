import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { parseExactJson } from '@tieline/contracts/exact-json'
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Auth, createAuthenticator } from './authenticator.ts'
import { mountControl } from './control-routes.ts'
import { decoded } from './decoded.ts'
import { createFaults, type Fault, type Faults } from './faults.ts'
import { parsedOrText } from './parsed-or-text.ts'
import { Refusal } from './refusal.ts'

export type SimulatorApp = Hono<{ Bindings: HttpBindings }>

/** One request of an operation, after credentials, content type and syntax were accepted. */
export interface OperationRequest {
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
  readonly headers: Headers
}

export interface Outcome {
  readonly status: number
  readonly body: unknown
  /** The call changed something here. A recognised repeat answers well without changing anything. */
  readonly applied: boolean
}

export interface Operation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the root, `:name` stands for one segment. */
  readonly path: string
  /** `file`: its handler gets `ReceivedFile`; the content is not kept. */
  readonly accepts: 'json' | 'form' | 'file' | 'nothing'
  /** Takes effect before its first await, so that the order of `received` is the order of effects. @throws Refusal */
  readonly handle: (request: OperationRequest) => Outcome | Promise<Outcome>
}

export interface ReceivedFile {
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/** One call as it arrived, in order of arrival. */
export interface ReceivedCall {
  /** Name of the operation, or `unknown` when no operation lives at that path. */
  readonly operation: string
  readonly method: string
  readonly path: string
  /** A few telling headers; of `authorization` only the scheme. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed when it was JSON, else the text; of a file `ReceivedFile`. */
  readonly body: unknown
  /** Milliseconds since 1970. */
  readonly at: number
  answered: number | 'dropped' | 'pending'
  applied: boolean
}

export interface FarSide extends Faults {
  readonly app: SimulatorApp
  readonly received: readonly ReceivedCall[]
  /** How many calls of an operation arrived, whatever became of them. */
  count(operation: string): number
  /** As after the start: nothing received, no instructions, empty state. */
  reset(): void
}

export interface FarSideOptions {
  readonly operations: readonly Operation[]
  /** Optional prefix of every path, itself below any prefix: a regular expression. */
  readonly root: string
  readonly auth: Auth | undefined
  readonly renderRefusal: (refusal: Refusal, path: string) => unknown
  /** What `GET /control/state` shows. */
  readonly state: () => unknown
  readonly resetState: () => void
  /** More drivable routes, mounted under `/control`. */
  readonly control?: Hono
}

/** The part that all simulated HTTP systems share: routes, credentials, records of what arrived, and faults on demand. */
export function createFarSide(options: FarSideOptions): FarSide {
  const app: SimulatorApp = new Hono<{ Bindings: HttpBindings }>()
  const received: ReceivedCall[] = []
  const faults = createFaults(options.operations.map(({ name }) => name))
  const isKnown = createAuthenticator(options.auth)
  const locate = createLocator(options.operations, options.root)

  const farSide: FarSide = {
    ...faults,
    app,
    received,
    count: (operation) => received.filter((call) => call.operation === operation).length,
    reset() {
      received.length = 0
      faults.heal()
      options.resetState()
    },
  }

  // A caller that breaks off while sending is no news.
  app.onError((_, c) => c.body(null, 500))
  mountControl(app, farSide, options)
  app.all('*', async (c) => {
    const { method } = c.req
    const path = new URL(c.req.url).pathname
    const place = locate(method, path)
    const text = place.operation?.accepts === 'file' ? await digest(c.req.raw.body) : await c.req.text()
    const known = await isKnown(c.req.header('authorization'))

    const call = record(place.operation?.name ?? 'unknown', method, path, c.req.raw.headers, text)
    received.push(call)
    const fault = place.operation && faults.take(place.operation.name, `${decoded(path)} ${text}`)
    if (fault?.kind === 'drop-before') return drop(c, call)

    const render = (refusal: Refusal) => options.renderRefusal(refusal, path)
    const run = () => perform(place, known, c.req.raw.headers, text, render)
    const outcome = await outcomeOf(fault, run, render)
    call.applied = outcome.applied
    const latencyMs = faults.latencyMs(call.operation, fault)
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false })
    if (fault?.kind === 'apply-then-drop') return drop(c, call)
    call.answered = outcome.status
    if (outcome.status === 401) c.header('www-authenticate', 'Basic realm="simulator"')
    return c.json(outcome.body, outcome.status as ContentfulStatusCode)
  })
  return farSide
}

type Render = (refusal: Refusal) => unknown

/** What becomes of a call: its own outcome, or the failure that was asked for. */
async function outcomeOf(fault: Fault | undefined, run: () => Promise<Outcome>, render: Render): Promise<Outcome> {
  if (fault?.kind !== 'fail') return run()
  const applied = fault.apply && (await run()).applied
  return { status: fault.status, body: fault.body ?? render(new Refusal(fault.status, 'Simulated failure')), applied }
}

interface Place {
  readonly operation: Operation | undefined
  readonly params: Readonly<Record<string, string>>
  /** The path exists, with other methods than the one used. */
  readonly otherMethod: boolean
}

function createLocator(operations: readonly Operation[], root: string): (method: string, path: string) => Place {
  const patterns = operations.map((operation) => {
    const path = operation.path.replaceAll('.', '\\.').replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')
    return { operation, pattern: new RegExp(`^(?:.*${root})?${path}$`) }
  })
  return (method, path) => {
    // No server looks for what it cannot decode.
    if (decoded(path) === undefined) return { operation: undefined, params: {}, otherMethod: false }
    const here = patterns.flatMap(({ operation, pattern }) => {
      const match = pattern.exec(path)
      return match ? [{ operation, groups: match.groups ?? {} }] : []
    })
    const found = here.find(({ operation }) => operation.method === method)
    const params = Object.entries(found?.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])
    return { operation: found?.operation, params: Object.fromEntries(params), otherMethod: here.length > 0 }
  }
}

/** The checks every operation has in common, in the order of a usual server, then the operation itself. */
async function perform(
  { operation, params, otherMethod }: Place,
  known: boolean,
  headers: Headers,
  text: string,
  render: Render,
): Promise<Outcome> {
  try {
    if (operation === undefined) {
      throw otherMethod ? new Refusal(405, 'Method not allowed') : new Refusal(404, 'Not found')
    }
    if (!known) throw new Refusal(401, 'Unauthorized')
    return await operation.handle({ params, headers, body: readBody(operation.accepts, headers, text) })
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'Simulator error', String(error))
    return { status: refusal.status, body: render(refusal), applied: false }
  }
}

const mediaTypes = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  file: 'application/octet-stream',
} as const

/** What is known of a file after its bytes have gone by, as JSON. */
async function digest(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const sha256 = createHash('sha256')
  let bytes = 0
  for await (const chunk of body ?? []) {
    sha256.update(chunk)
    bytes += chunk.length
  }
  const file: ReceivedFile = { bytes, sha256: sha256.digest('hex') }
  return JSON.stringify(file)
}

function readBody(accepts: Operation['accepts'], headers: Headers, text: string): unknown {
  if (accepts === 'nothing') return undefined
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const expected = mediaTypes[accepts]
  if (mediaType !== expected) throw new Refusal(415, 'Unsupported media type', `Expected ${expected}`)
  if (accepts === 'form') return Object.fromEntries(new URLSearchParams(text))
  try {
    return parseExactJson(text)
  } catch {
    throw new Refusal(400, 'Malformed request', 'The body is not JSON')
  }
}

const keptHeaders = ['content-type', 'content-length', 'accept', 'user-agent', 'traceparent', 'x-request-id'] as const

function record(operation: string, method: string, path: string, from: Headers, text: string): ReceivedCall {
  const headers: Record<string, string> = {}
  for (const name of keptHeaders) {
    const value = from.get(name)
    if (value !== null) headers[name] = value
  }
  const scheme = from.get('authorization')?.split(' ')[0]
  if (scheme !== undefined) headers.authorization = scheme
  return {
    operation,
    method,
    path,
    headers,
    body: parsedOrText(text),
    at: Date.now(),
    answered: 'pending',
    applied: false,
  }
}

/** Cuts the connection, so that the caller never learns what happened. */
function drop(c: Context<{ Bindings: HttpBindings }>, call: ReceivedCall): Response {
  call.answered = 'dropped'
  c.env.incoming.socket.destroy()
  return new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
}
