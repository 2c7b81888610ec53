import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type InboundFlowId, isFileFlow } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import { ownIds } from '@tieline/contracts/replies'
import { redisPayloadBytesMax } from '@tieline/journal/files/payloads'
import { accept, isKnown } from '@tieline/journal/intake'
import type { Journal } from '@tieline/journal/journal'
import type { RefusedNames } from '@tieline/journal/refusals/refusals'
import type { Incoming, KeptFile } from '@tieline/journal/types'
import type { Client, Installation } from '@tieline/runtime/installation'
import type { Authenticate } from './authenticate.ts'
import type { BodyHead } from './body-head.ts'
import { createContractCheck } from './check-contract.ts'
import { checkRoute } from './check-route.ts'
import { createFieldAliases } from './field-aliases.ts'
import { createMessageRoots } from './message-roots.ts'
import type { IngressMetrics } from './metrics.ts'
import { comeAgain, type HttpAnswer } from './problems.ts'
import { createRateLimit } from './rate-limit.ts'
import { parseBody, readBody } from './read-body.ts'
import { type FileLimits, readMultipart } from './read-multipart.ts'
import { limitRecords } from './record-limit.ts'
import { namesOf } from './refused-names.ts'
import { type Accepted, createReply, type Ending } from './reply.ts'
import { requestsOf, requireDivision, requireFlow, withInstance } from './rights.ts'
import { createRoom, createTurns, type Share } from './room.ts'
import type { OpenStore, Store } from './store.ts'

interface Deps {
  readonly installation: Installation
  readonly authenticate: Authenticate
  readonly store: Store
  readonly limits: Omit<FileLimits, 'share' | 'head'>
  readonly metrics: Pick<IngressMetrics, 'accepted'>
}

/** One request for a flow. What becomes known of it on the way is left here for log and metrics, also when it is refused. */
export interface Exchange {
  readonly flow: InboundFlowId
  readonly incoming: IncomingMessage
  /** Aborts when the caller hangs up. */
  readonly request: Pick<Request, 'signal'>
  client?: string
  /** Not before the message is fit to be kept: until then its id may be anything. */
  key?: string
  ending?: Ending
  /** As long as the request may still be refused. */
  head?: BodyHead | undefined
  /** What the message says of itself, once it can be read. It may be anything. */
  named?: RefusedNames
}

const mib = 2 ** 20

/** JSON of all requests, as it came. A message has tens of KiB at most, so this is for hundreds at once. */
const jsonBytesMax = 128 * mib

/** Of it, what is parsed and not yet stored: that takes many times its bytes. */
const parsedBytesMax = 16 * mib

/** What of all files is in memory: of each as much as is read before it is known whether it goes to the payload store. */
const fileBytesMax = 128 * mib

interface Received {
  readonly json: Buffer
  readonly file?: KeptFile
}

/**
 * What the ingress does with a message. Nothing of it is kept before all that can be refused has been looked at.
 * The returned function throws a Refusal.
 */
export function createReceive({ installation, authenticate, store, limits, metrics }: Deps) {
  const { clients, maxRecords } = installation.ingress
  const withoutRoot = createMessageRoots(installation)
  const renameFields = createFieldAliases(installation)
  const checkContract = createContractCheck(installation)
  const reply = createReply({ installation, store })
  const names = clients.map(({ name }) => name)
  const shareOfJson = createRoom({ bytesMax: jsonBytesMax, bytesMin: mib, clients: names })
  const senders = clients.filter(({ flows }) => flows.some(isFileFlow)).map(({ name }) => name)
  const shareOfFiles = createRoom({ bytesMax: fileBytesMax, bytesMin: redisPayloadBytesMax, clients: senders })
  const takeTurn = createTurns(parsedBytesMax)
  const countRequest = createRateLimit()

  return async (exchange: Exchange): Promise<HttpAnswer> => {
    const { flow, incoming, request } = exchange
    const client = await authenticate(incoming.headers.authorization)
    exchange.client = client.name
    countRequest(client)
    requireFlow(client, flow)
    const opened = store.take()
    const accepted = await takeIn(exchange, client, opened)
    const { answer, ending } = await reply(opened, { ...accepted, signal: request.signal })
    exchange.ending = ending
    return answer
  }

  /** When it has ended nothing of the body is in memory any more: the caller may wait for minutes. */
  async function takeIn(exchange: Exchange, client: Client, opened: OpenStore): Promise<Omit<Accepted, 'signal'>> {
    const { flow } = exchange
    using share = shareOfJson(client.name)
    const received = await read(exchange, client, opened, share)
    using _turn = await takeTurn(client.name, received.json.length)
    const message = await forgetIfRefused(received, opened, () => check(client, exchange, received, opened))
    exchange.key = message.key
    exchange.head = undefined
    const acceptance = await keep(opened.journal, message)
    exchange.key = acceptance.key
    metrics.accepted({ flow, kind: acceptance.kind })
    return { flow, ids: ownIds(flow, message.payload), acceptance }
  }

  async function read(
    { flow, incoming, head }: Exchange,
    client: Client,
    { journal }: OpenStore,
    share: Share,
  ): Promise<Received> {
    const { maxJsonBytes: maxBytes, idleMs } = limits
    if (!isFileFlow(flow)) return { json: await readBody(incoming, { maxBytes, idleMs, share, head }) }
    using file = shareOfFiles(client.name)
    file.grow(redisPayloadBytesMax)
    return await readMultipart(incoming, { ...limits, share, head }, journal.payloads)
  }

  async function check(
    client: Client,
    exchange: Exchange,
    { json, file }: Received,
    { lookups, journal }: OpenStore,
  ): Promise<Incoming> {
    const { flow } = exchange
    const parsed = parseBody(json)
    const named = renameFields(flow, withoutRoot(flow, parsed.json))
    const contentHash = file === undefined ? parsed.hash : hash('sha256', `${parsed.hash} ${file.sha256}`, 'hex')
    limitRecords(flow, named, maxRecords)
    const before = identify(flow, named, client.name, contentHash)
    exchange.named = namesOf(named, before.terms)
    checkContract(flow, named)
    const body = withInstance(client, flow, named)
    const sites = { lookups: lookups.snapshot(), connections: installation.connections, clients }
    checkRoute(flow, body, sites)
    const now = body === named ? before : identify(flow, body, client.name, contentHash)
    // Messages without an instance once had the client's name in its place: what is known by it keeps its name.
    const identity = now !== before && (await knows(journal, { flow, ...before })) ? before : now
    requireDivision(client, flow, identity, sites)
    const requests = await requestsOf(client, identity, { journal, sites })
    const message = { ...identity, ...requests, flow, client: client.name, payload: body, hash: contentHash }
    if (file === undefined) return message
    return { ...message, file, terms: [...identity.terms, ...(file.name === '' ? [] : [file.name])] }
  }
}

async function forgetIfRefused<T>({ file }: Received, { journal }: OpenStore, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    // What cannot be removed now is removed by the sweeper.
    if (file !== undefined) await journal.payloads.remove(file.reference).catch(() => undefined)
    throw error
  }
}

const knows = (journal: Journal, message: Parameters<typeof isKnown>[1]) =>
  isKnown(journal, message).catch((error: unknown) => {
    throw comeAgain('store-unavailable', 'The message could not be looked for', error)
  })

/** Whatever fails here, the message is not known to be kept: its sender shall send it again. Nor is its file removed then. */
const keep = (journal: Journal, message: Incoming) =>
  accept(journal, message).catch((error: unknown) => {
    throw comeAgain('store-unavailable', 'The message could not be stored', error)
  })
