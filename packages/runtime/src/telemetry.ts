import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { SpanContext, SpanKind } from '@opentelemetry/api'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from './logger.ts'
import { version } from './version.ts'

/** Names, codes and counts. Never a value of a message: the one thing of it that may stand here is its key. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/** A piece of work in a trace. */
export interface Span {
  /** W3C `traceparent`, for headers and records: what carries it on belongs to the same trace. Undefined: nothing is traced. */
  readonly traceparent: string | undefined
  set(attributes: SpanAttributes): void
  /** Points to another trace that has to do with this one. */
  link(traceparent: string | undefined): void
  /** Marks it as failed, by a code. */
  fail(code: string): void
  end(): void
}

export interface SpanOptions {
  readonly kind: 'server' | 'client' | 'producer' | 'consumer'
  /** `traceparent` of what it is a part of. One that is missing or malformed begins a trace. */
  readonly parent?: string | undefined
  readonly links?: readonly (string | undefined)[]
  readonly attributes?: SpanAttributes
}

export interface Tracer extends AsyncDisposable {
  start(name: string, options: SpanOptions): Span
  /** Runs something in which `current` is the span. */
  within<Result>(span: Span, run: () => Result): Result
  current(): Span | undefined
}

const noSpan: Span = { traceparent: undefined, set() {}, link() {}, fail() {}, end() {} }

/** Traces nothing, and costs nothing. */
export const noTracer: Tracer = {
  start: () => noSpan,
  within: (_span, run) => run(),
  current: () => undefined,
  async [Symbol.asyncDispose]() {},
}

export interface TracerOptions {
  /** OTLP over HTTP, such as `http://collector:4318`. Undefined: nothing is traced, and nothing loaded for it. */
  readonly endpoint: string | undefined
  readonly service: string
  /** What people call this installation, such as `production`. */
  readonly environment: string
  readonly logger: Pick<Logger, 'info' | 'warn'>
}

/** Sends spans to a collector, in batches and in the background. What cannot be delivered is lost, and nothing waits for it. */
export async function openTracer(options: TracerOptions): Promise<Tracer> {
  const { endpoint, logger } = options
  if (endpoint === undefined) return noTracer
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ])
  // Header and time limit of the exporter come from its own variables, such as OTEL_EXPORTER_OTLP_HEADERS.
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `tieline-${options.service}`,
      'service.version': version,
      'service.instance.id': randomUUID(),
      'deployment.environment.name': options.environment,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: tellingOutages(exporter, logger) })],
  })
  const spans = provider.getTracer('tieline', version)
  const active = new AsyncLocalStorage<Span>()
  const kinds: Record<SpanOptions['kind'], SpanKind> = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
  }

  return {
    start(name, { kind, parent, links = [], attributes = {} }) {
      const parentContext = readTraceparent(parent)
      const span = spans.startSpan(
        name,
        {
          kind: kinds[kind],
          attributes: defined(attributes),
          links: links.flatMap((link) => toLink(link)),
        },
        parentContext ? api.trace.setSpanContext(api.ROOT_CONTEXT, parentContext) : api.ROOT_CONTEXT,
      )
      return {
        traceparent: writeTraceparent(span.spanContext()),
        set: (more) => void span.setAttributes(defined(more)),
        link: (traceparent) => void span.addLinks(toLink(traceparent)),
        fail: (code) =>
          void span.setAttribute('error.type', code).setStatus({ code: api.SpanStatusCode.ERROR, message: code }),
        end: () => span.end(),
      }
    },
    within: (span, run) => active.run(span, run),
    current: () => active.getStore(),
    async [Symbol.asyncDispose]() {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const bound = setTimeout(resolve, flushMsMax)
      await Promise.race([provider.shutdown().catch(() => undefined), late])
      clearTimeout(bound)
    },
  }
}

/** A service that stops waits so long for the last spans to go out. */
const flushMsMax = 3_000

/** The collector's answers are not logged: nobody knows what they hold. */
function tellingOutages(exporter: SpanExporter, logger: TracerOptions['logger']): SpanExporter {
  let away = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0
        if (failed && !away)
          logger.warn('Traces cannot be delivered to the collector; they are dropped until it is back')
        if (!failed && away) logger.info('Traces are delivered again')
        away = failed
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

const defined = (attributes: SpanAttributes): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined),
  )

const toLink = (traceparent: string | undefined) => {
  const context = readTraceparent(traceparent)
  return context === undefined ? [] : [{ context }]
}

/** Later versions of the header may be longer and begin the same. */
const traceparentForm = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** It comes from outside, so nothing else of it is kept. */
export function readTraceparent(header: string | undefined): SpanContext | undefined {
  const [, headerVersion, traceId, spanId, flags = '', more] = traceparentForm.exec(header ?? '') ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  if (headerVersion === '00' && more !== undefined) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

const writeTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-0${traceFlags & 1}`
