import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { MIMEType } from 'node:util'
import { Dicer } from '@fastify/busboy'
import type { BodyHead } from './body-head.ts'
import { Refusal } from './problems.ts'
import { malformed, stalled, tooLarge } from './read-body.ts'

/** One part of a multipart body, as it arrives. */
export interface Part {
  /** In small letters, without parameters; empty when the part does not say. */
  readonly mediaType: string
  readonly charset: string | undefined
  /** `Content-Transfer-Encoding` in small letters, empty when the part does not say. */
  readonly encoding: string
  readonly fileName: string | undefined
  readonly content: Readable
}

interface Options {
  readonly boundary: string
  /** Longest pause between two pieces of the body, as far as the sender is the one who pauses. */
  readonly idleMs: number
  readonly partsMax: number
  /** Of the whole body: text before, between and after its parts would have no end otherwise. */
  readonly bytesMax: number
  /** Gets what is read. */
  readonly head?: BodyHead | undefined
}

const headerPairsMax = 20
const headerBytesMax = 8 * 1024
/** A header beyond these is cut off by the parser without a word, so they lie above what is allowed. */
const headerLimits = { maxHeaderPairs: headerPairsMax + 1, maxHeaderSize: 2 * headerBytesMax }

/**
 * Hands each part of a multipart body to `take` as soon as its header is read, one after another. Resolves when the whole body
 * was read and every part taken. When anything fails, the parts still being taken fail too, and are waited for.
 * @throws Refusal 400 for a body that breaks the rules of multipart or breaks off, 408 when it stalls, 413 when it is too large,
 * and what `take` throws
 */
export function readParts(
  incoming: IncomingMessage,
  { boundary, idleMs, partsMax, bytesMax, head }: Options,
  take: (part: Part) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const dicer = new Dicer({ boundary, ...headerLimits })
    const contents: Readable[] = []
    const taken: Promise<void>[] = []
    let parts = 0
    let bytes = 0
    let failed = false

    const detach = () => {
      clearTimeout(timer)
      incoming.unpipe(dicer).off('data', onData).off('error', onClose).off('close', onClose)
    }
    const fail = (error: unknown) => {
      if (failed) return
      failed = true
      detach()
      // Nothing of what the parser still holds may reach anybody.
      dicer.removeAllListeners().on('error', () => undefined)
      const cause = error instanceof Error ? error : new Error('Reading a multipart body failed')
      for (const content of contents) content.destroy(cause)
      void Promise.allSettled(taken).then(() => reject(error))
    }
    const onData = (chunk: Buffer) => {
      timer.refresh()
      head?.add(chunk)
      bytes += chunk.length
      if (bytes > bytesMax) fail(tooLarge(bytesMax))
    }
    const onClose = () => {
      if (!incoming.complete) fail(malformed('The body broke off'))
    }
    const onIdle = () => {
      // We are the ones who pause.
      if (dicer.writableNeedDrain) timer.refresh()
      else fail(stalled(idleMs))
    }

    dicer.on('part', (content) => {
      content.on('error', () => undefined)
      parts += 1
      if (parts > partsMax) return fail(malformed(`The body has more than ${partsMax} parts`))
      content.once('header', (header) => {
        try {
          const part = { ...readHeader(header as Record<string, string[]>), content }
          contents.push(content)
          const taking = take(part)
          taken.push(taking)
          taking.catch(fail)
        } catch (error) {
          fail(error)
        }
      })
    })
    dicer.on('finish', () => {
      if (contents.length < parts) return fail(malformed('A part of the body has no end of its header'))
      void Promise.all(taken).then(() => {
        if (failed) return
        detach()
        resolve()
      }, fail)
    })
    dicer.on('error', () => fail(malformed('The body is not a complete multipart body: its last boundary is missing')))

    const timer = setTimeout(onIdle, idleMs)
    if (incoming.destroyed) onClose()
    else incoming.on('data', onData).on('error', onClose).on('close', onClose).pipe(dicer)
  })
}

/**
 * The boundary of a multipart body.
 * @throws Refusal 415 for anything but multipart/mixed and multipart/form-data, 400 when there is no usable boundary
 */
export function boundaryOf(contentType: string | undefined): string {
  const type = readType(contentType ?? '')
  if (type?.essence !== 'multipart/mixed' && type?.essence !== 'multipart/form-data') {
    const message = 'Content-Type must be multipart/mixed or multipart/form-data: a JSON part and a file'
    throw new Refusal(415, 'unsupported-media-type', message)
  }
  const boundary = type.params.get('boundary') ?? ''
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) throw malformed('Content-Type has no usable boundary')
  return boundary
}

function readHeader(header: Readonly<Record<string, readonly string[]>>): Omit<Part, 'content'> {
  const pairs = Object.entries(header).flatMap(([name, values]) => values.map((value) => name.length + value.length))
  const bytes = pairs.reduce((sum, length) => sum + length, 0)
  if (pairs.length > headerPairsMax || bytes > headerBytesMax) throw malformed('The header of a part is too large')
  const first = (name: string) =>
    Buffer.from(header[name]?.[0] ?? '', 'latin1')
      .toString('utf8')
      .trim()
  const type = readType(first('content-type'))
  // Its syntax is that of a media type without the first half.
  const disposition = readType(`x/${first('content-disposition')}`)
  return {
    mediaType: type?.essence ?? '',
    charset: type?.params.get('charset')?.toLowerCase(),
    encoding: first('content-transfer-encoding').toLowerCase(),
    fileName: extendedValue(disposition?.params.get('filename*')) ?? disposition?.params.get('filename') ?? undefined,
  }
}

function readType(text: string): MIMEType | undefined {
  try {
    return new MIMEType(text)
  } catch {
    return undefined
  }
}

/** `UTF-8''a%20name` (RFC 8187). */
function extendedValue(value: string | null | undefined): string | undefined {
  const [, encoded] = /^utf-8'[^']*'(.*)$/i.exec(value ?? '') ?? []
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
