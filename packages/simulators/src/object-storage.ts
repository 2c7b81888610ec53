import { createPublicKey } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { decoded } from './decoded.ts'
import type { SimulatorApp } from './far-side.ts'
import { createFaults, type Fault, type FaultControls } from './faults.ts'
import { type Bucket, createBucket } from './object-storage-bucket.ts'
import { type StorageAnswer, storageOperations } from './object-storage-operations.ts'
import { faultOfSignature, type SignedRequest } from './object-storage-signature.ts'
import { locate, type Place, readJson, send } from './object-storage-wire.ts'
import { Refusal } from './refusal.ts'
import { type ListenOptions, type Started, serve } from './start.ts'

export interface ObjectStorageOptions {
  /** Default: `tieline`. */
  readonly namespace?: string
  readonly buckets: readonly string[]
  readonly users: readonly ObjectStorageUser[]
  /** Longest page of a list of objects, whatever is asked for; default: 1,000, as in the cloud. */
  readonly pageObjectsMax?: number
}

export interface ObjectStorageUser {
  readonly tenancy: string
  readonly user: string
  readonly fingerprint: string
  /** PEM. */
  readonly publicKey: string
}

/** One request as it arrived, in order of arrival. */
export interface ReceivedRequest {
  /** Name of the operation, or `unknown`. */
  readonly operation: string
  /** Path and query as they were sent. */
  readonly target: string
  answered: number | 'dropped' | 'pending'
  applied: boolean
}

export interface ObjectStorage extends FaultControls {
  readonly app: SimulatorApp
  readonly received: readonly ReceivedRequest[]
  /** @throws Refusal when there is no such bucket */
  bucket(name: string): Bucket
  /** Cuts the connection after so many bytes of the next object that is got. */
  cutAfter(bytes: number): void
  /** Knows one more key, such as that of a session token: `ST$` and the token. @param publicKey PEM */
  addKey(keyId: string, publicKey: string): void
  /** Sets the clock by which the dates of signatures are judged ahead of the real one. */
  setClockAhead(ms: number): void
  /** As after the start: no objects, no uploads, no instructions. */
  reset(): void
}

/** OCI Object Storage, as far as integrations use it. @throws Error when the port is taken */
export async function startObjectStorage(
  options: ObjectStorageOptions & ListenOptions,
): Promise<Started<ObjectStorage>> {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-objects-'))
  const started = await serve(createObjectStorage(options, directory), options)
  return {
    ...started,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

/** @param directory where the content of objects lies */
function createObjectStorage(options: ObjectStorageOptions, directory: string): ObjectStorage {
  const { namespace = 'tieline', users } = options
  const app: SimulatorApp = new Hono<{ Bindings: HttpBindings }>()
  const buckets = new Map(options.buckets.map((name) => [name, createBucket(directory, options.pageObjectsMax)]))
  const keys = new Map(users.map((user) => [keyIdOf(user), createPublicKey(user.publicKey)]))
  const faults = createFaults(storageOperations.map(({ name }) => name))
  const received: ReceivedRequest[] = []
  let clockAheadMs = 0
  let bytesUntilCut: number | undefined

  const bucket = (name: string): Bucket => {
    const found = buckets.get(name)
    if (found === undefined) throw new Refusal(404, 'BucketNotFound', 'There is no such bucket, or it is not yours')
    return found
  }
  const perform = async (place: Place, request: SignedRequest, body: Readable): Promise<StorageAnswer> => {
    const fault = faultOfSignature(request, (keyId) => keys.get(keyId), Date.now() + clockAheadMs)
    if (fault !== undefined) throw new Refusal(401, 'NotAuthenticated', fault)
    if (place.operation === undefined) throw new Refusal(404, 'NotFound', 'There is no such operation')
    const { names } = place
    if ((names.namespace ?? namespace) !== namespace) throw new Refusal(404, 'NamespaceNotFound', 'No such namespace')
    return place.operation.handle({
      namespace,
      bucket: () => bucket(names.bucket ?? ''),
      object: names.object ?? '',
      query: place.query,
      headers: request.headers,
      body,
      json: () => readJson(request, body),
    })
  }
  const heal = () => {
    bytesUntilCut = undefined
    faults.heal()
  }

  app.onError((_, c) => c.body(null, 500))
  app.all('*', async ({ env: { incoming, outgoing } }) => {
    const { method = '', url: target = '', headers } = incoming
    const place = locate(method, target)
    const operation = place.operation?.name ?? 'unknown'
    const call: ReceivedRequest = { operation, target, answered: 'pending', applied: false }
    received.push(call)
    const drop = () => {
      call.answered = 'dropped'
      outgoing.destroy()
      return RESPONSE_ALREADY_SENT
    }

    const fault = place.operation && faults.take(operation, decoded(target))
    if (fault?.kind === 'drop-before') return drop()
    const answer = await outcomeOf(fault, () => perform(place, { method, target, headers }, incoming).catch(refuse))
    call.applied = answer.applied === true
    const latencyMs = faults.latencyMs(operation, fault)
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false })
    if (fault?.kind === 'apply-then-drop') return drop()

    call.answered = answer.status
    // Hono makes a new response out of that to a HEAD, so that one cannot be told that it was sent.
    if (method === 'HEAD') return new Response(null, { status: answer.status, headers: answer.headers ?? {} })
    const cutAt = operation === 'getObject' ? bytesUntilCut : undefined
    if (cutAt !== undefined) bytesUntilCut = undefined
    // A caller that breaks off while reading is no news.
    await send(outgoing, answer, cutAt).catch(() => undefined)
    return cutAt === undefined ? RESPONSE_ALREADY_SENT : drop()
  })

  return {
    ...faults,
    app,
    received,
    bucket,
    cutAfter(bytes) {
      bytesUntilCut = bytes
    },
    addKey: (keyId, publicKey) => void keys.set(keyId, createPublicKey(publicKey)),
    setClockAhead(ms) {
      clockAheadMs = ms
    },
    heal,
    reset() {
      received.length = 0
      clockAheadMs = 0
      heal()
      for (const one of buckets.values()) one.clear()
    },
  }
}

const keyIdOf = ({ tenancy, user, fingerprint }: ObjectStorageUser): string => `${tenancy}/${user}/${fingerprint}`

/** What becomes of a request: its own outcome, or the failure that was asked for. */
async function outcomeOf(fault: Fault | undefined, run: () => Promise<StorageAnswer>): Promise<StorageAnswer> {
  if (fault?.kind !== 'fail') return run()
  const applied = fault.apply && (await run()).applied === true
  const { json } = refuse(new Refusal(fault.status, 'SimulatedFailure', 'Simulated failure'))
  return { status: fault.status, json: fault.body ?? json, applied }
}

function refuse(error: unknown): StorageAnswer {
  const { status, title, detail } =
    error instanceof Refusal ? error : new Refusal(500, 'InternalServerError', String(error))
  return { status, json: { code: title, message: detail } }
}
