import type { IncomingMessage } from 'node:http'
import type { KeptPayload, Payloads } from '@tieline/journal/files/payloads'
import type { KeptFile } from '@tieline/journal/types'
import type { BodyHead } from './body-head.ts'
import { readParts } from './multipart.ts'
import { openPart } from './part-content.ts'
import { boundaryOf } from './part-header.ts'
import { comeAgain, Refusal } from './problems.ts'
import { malformed, parseBody, requireUncompressed, tooLarge } from './read-body.ts'
import type { Share } from './room.ts'

export interface FileLimits {
  readonly maxJsonBytes: number
  readonly maxFileBytes: number
  /** Longest pause between two pieces of a body. */
  readonly idleMs: number
  /** Grows by what is read of the JSON part; the caller gives it back. */
  readonly share: Share
  /** Gets what is read. */
  readonly head?: BodyHead | undefined
}

/** Boundaries, headers, and text before the parts. */
const framingBytesMax = 128 * 1024
/** What a transfer encoding makes of content: four thirds and line ends, or more of quoted-printable. */
const encodedTimes = 2

/** What a multipart request carries. */
export interface JsonWithFile {
  readonly json: Buffer
  readonly file: KeptFile
}

/**
 * Reads a JSON part and a file, in whatever order and under whatever names: the JSON is the part that says so, or looks so and
 * says nothing, the file the other one (docs/wire-facts.md, Messages with a file). The file goes into the payload store
 * while it arrives. When this rejects, nothing is kept.
 * @throws Refusal 415 for another kind of body or part, 413 for too much, 408 when it stalls, 400 when it is broken or lacks a
 * part, 503 when the file cannot be stored
 */
export async function readMultipart(
  incoming: IncomingMessage,
  limits: FileLimits,
  payloads: Payloads,
): Promise<JsonWithFile> {
  const boundary = boundaryOf(incoming.headers['content-type'])
  requireUncompressed(incoming.headers)
  const bytesMax = encodedTimes * (limits.maxJsonBytes + limits.maxFileBytes) + framingBytesMax
  let json: Buffer | undefined
  let file: KeptFile | undefined
  try {
    await readParts(incoming, { boundary, ...limits, partsMax: 2, bytesMax }, async (part) => {
      const { isJson, bytes } = await openPart(part)
      if (isJson) {
        if (json !== undefined) throw malformed('The body has two JSON parts and no file')
        json = await readAll(bytes, limits)
        // Refused before the file has come. What was parsed is let go: the file may take its time.
        parseBody(json)
      } else {
        if (file !== undefined) throw malformed('The body has two files and no JSON part')
        file = { ...(await keep(bytes, limits.maxFileBytes, payloads)), name: nameOf(part.fileName) }
      }
    })
    if (json === undefined) throw malformed('The body has no part of type application/json')
    if (file === undefined) throw malformed('The body has no file')
    return { json, file }
  } catch (error) {
    // What cannot be removed now is removed by the sweeper.
    if (file !== undefined) await payloads.remove(file.reference).catch(() => undefined)
    throw error
  }
}

async function readAll(content: AsyncIterable<Buffer>, { maxJsonBytes, share }: FileLimits): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of limited(content, maxJsonBytes, 'JSON part')) {
    share.grow(chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function keep(content: AsyncIterable<Buffer>, maxBytes: number, payloads: Payloads): Promise<KeptPayload> {
  try {
    return await payloads.keep(limited(content, maxBytes, 'file'))
  } catch (error) {
    // The sender, or the other part, is what failed.
    if (error instanceof Refusal) throw error
    throw comeAgain('store-unavailable', 'The file could not be stored', error)
  }
}

async function* limited(content: AsyncIterable<Buffer>, maxBytes: number, what: string): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes, what)
    yield chunk
  }
}

const nameLengthMax = 120

/** Without folders, in one line, and short enough to be searched for. */
function nameOf(fileName = ''): string {
  const [name = ''] = fileName.toWellFormed().split(/[/\\]/).slice(-1)
  return name
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, nameLengthMax)
}
