import type { IncomingMessage } from 'node:http'
import { type InboundFlowId, isFileFlow } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import { accept } from '@tieline/journal/intake'
import type { Journal } from '@tieline/journal/journal'
import type { Incoming } from '@tieline/journal/types'
import type { Client, Installation } from '@tieline/runtime/installation'
import type { Authenticate } from './authenticate.ts'
import { checkContract } from './check-contract.ts'
import { checkRoute } from './check-route.ts'
import { createFieldAliases } from './field-aliases.ts'
import { comeAgain, type HttpAnswer } from './problems.ts'
import { type Body, readBody } from './read-body.ts'
import { type BodyWithFile, type FileLimits, readMultipart } from './read-multipart.ts'
import { createReply, type Ending } from './reply.ts'
import { requireFlow, requireInstance } from './rights.ts'
import type { OpenStore, Store } from './store.ts'

interface Deps {
  readonly installation: Installation
  readonly authenticate: Authenticate
  readonly store: Store
  readonly limits: FileLimits
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
}

/**
 * What the ingress does with a message. Nothing of it is kept before all that can be refused has been looked at.
 * The returned function throws a Refusal.
 */
export function createReceive({ installation, authenticate, store, limits }: Deps) {
  const renameFields = createFieldAliases(installation)
  const reply = createReply({ installation, store })

  return async (exchange: Exchange): Promise<HttpAnswer> => {
    const { flow, incoming, request } = exchange
    const client = await authenticate(incoming.headers.authorization)
    exchange.client = client.name
    requireFlow(client, flow)
    const opened = store.take()
    const received = await read(exchange, opened)
    const message = await forgetIfRefused(received, opened, () => check(client, flow, received, opened))
    exchange.key = message.key
    const acceptance = await keep(opened.journal, message)
    const { payload: body } = message
    const { answer, ending } = await reply(opened, { flow, body, acceptance, signal: request.signal })
    exchange.ending = ending
    return answer
  }

  function read({ flow, incoming }: Exchange, { journal }: OpenStore): Promise<Body | BodyWithFile> {
    if (isFileFlow(flow)) return readMultipart(incoming, limits, journal.payloads)
    return readBody(incoming, { maxBytes: limits.maxJsonBytes, idleMs: limits.idleMs })
  }

  function check(client: Client, flow: InboundFlowId, received: Body | BodyWithFile, { lookups }: OpenStore): Incoming {
    const { hash } = received
    const body = renameFields(flow, received.json)
    const identity = identify(flow, body, client.name, hash)
    checkContract(flow, body)
    requireInstance(client, body)
    checkRoute(flow, body, { lookups: lookups.snapshot(), connections: installation.connections })
    const message = { ...identity, flow, client: client.name, payload: body, hash }
    if (!('file' in received)) return message
    const { file } = received
    return { ...message, file, terms: [...identity.terms, ...(file.name === '' ? [] : [file.name])] }
  }
}

async function forgetIfRefused<T>(received: Body | BodyWithFile, { journal }: OpenStore, check: () => T): Promise<T> {
  try {
    return check()
  } catch (error) {
    // What cannot be removed now is removed by the sweeper.
    if ('file' in received) await journal.payloads.remove(received.file.reference).catch(() => undefined)
    throw error
  }
}

/** Whatever fails here, the message is not known to be kept: its sender shall send it again. Nor is its file removed then. */
const keep = (journal: Journal, message: Incoming) =>
  accept(journal, message).catch((error: unknown) => {
    throw comeAgain('store-unavailable', 'The message could not be stored', error)
  })
