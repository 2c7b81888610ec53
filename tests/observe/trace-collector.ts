import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fieldsOf, type Message } from './protobuf.ts'

export interface CollectedSpan {
  readonly service: string
  readonly name: string
  readonly kind: 'server' | 'client' | 'producer' | 'consumer'
  readonly traceId: string
  readonly spanId: string
  /** Empty: it begins a trace. */
  readonly parentId: string
  /** Ids of the spans that it points to. */
  readonly links: readonly string[]
  /** The code it failed with. */
  readonly failed: string | undefined
  readonly attributes: Readonly<Record<string, string | number>>
}

/** A collector of OpenTelemetry: takes traces as OTLP over HTTP. */
export interface TraceCollector extends AsyncDisposable {
  readonly url: string
  /** In the order in which they ended, as far as a service sends them in that order. */
  spans(): CollectedSpan[]
  /** All that came, undecoded. */
  text(): string
}

export async function startTraceCollector({ status = 200 } = {}): Promise<TraceCollector> {
  const received: Buffer[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    if (request.url === '/v1/traces') received.push(body)
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => received.flatMap(readRequest),
    text: () => received.map((body) => body.toString('latin1')).join('\n'),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

// The numbers are those of opentelemetry/proto/trace/v1/trace.proto and of what it includes.
const readRequest = (body: Buffer): CollectedSpan[] => fieldsOf(body).messages(1).flatMap(readResourceSpans)

function readResourceSpans(resourceSpans: Message): CollectedSpan[] {
  const [resource] = resourceSpans.messages(1)
  const service = String((resource && readAttributes(resource.messages(1)))?.['service.name'])
  return resourceSpans
    .messages(2)
    .flatMap((scope) => scope.messages(2))
    .map((span) => readSpan(span, service))
}

const kinds = ['server', 'client', 'producer', 'consumer'] as const
/** Of the first kind above. */
const firstKind = 2
const statusError = 2

function readSpan(span: Message, service: string): CollectedSpan {
  const attributes = readAttributes(span.messages(9))
  const [status] = span.messages(15)
  const kind = kinds[span.number(6) - firstKind]
  if (kind === undefined) throw new Error('A span has an unknown kind')
  return {
    service,
    name: span.text(5),
    kind,
    traceId: span.hex(1),
    spanId: span.hex(2),
    parentId: span.hex(4),
    links: span.messages(13).map((link) => link.hex(2)),
    failed: status?.number(3) === statusError ? status.text(2) : undefined,
    attributes,
  }
}

/** Values that are texts or whole numbers: we have no others. */
const readAttributes = (pairs: readonly Message[]): Record<string, string | number> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const [value] = pair.messages(2)
      return [pair.text(1), value?.has(1) ? value.text(1) : (value?.number(3) ?? 0)]
    }),
  )
