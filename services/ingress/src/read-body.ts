import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { parseExactJson } from '@tieline/contracts/exact-json'
import { isJsonObject, type JsonObject } from '@tieline/contracts/json-object'
import type { BodyHead } from './body-head.ts'
import { unfitShape } from './json-shape.ts'
import { Refusal } from './problems.ts'
import type { Share } from './room.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** Longest pause between two pieces of a body. */
  readonly idleMs: number
  /** Grows by what is read; the caller gives it back. */
  readonly share: Share
  /** Gets what is read. */
  readonly head?: BodyHead | undefined
}

export interface Body {
  readonly json: JsonObject
  /** SHA-256 of the canonical JSON, hex: the same for the same values, whatever their order and spacing. */
  readonly hash: string
}

/**
 * Reads the JSON that a request carries.
 * @throws Refusal 415 for another kind of body, 413 for too much of it, 408 when it stalls, 400 when it breaks off, 503 when there
 * is no room for it
 */
export async function readBody(incoming: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  requireJson(incoming.headers)
  requireUncompressed(incoming.headers)
  return readBytes(incoming, limits)
}

/** @throws Refusal 400 when the bytes are no JSON object, 413 when it is made of too much */
export function parseBody(bytes: Buffer): Body {
  const unfit = unfitShape(bytes)
  if (unfit === 'depth') throw tooDeep()
  if (unfit === 'size') throw new Refusal(413, 'too-large', 'The body holds too many values, or too many in one list')
  const json = parse(bytes)
  return { json, hash: hash('sha256', canonical(json), 'hex') }
}

function requireJson(headers: IncomingHttpHeaders): void {
  const [mediaType = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  if (!isJsonType(mediaType.trim()))
    throw new Refusal(415, 'unsupported-media-type', 'Content-Type must be application/json')
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='))
  if (charset !== undefined && !/^charset="?(?:utf-?8|us-ascii)"?$/.test(charset.trim()))
    throw new Refusal(415, 'unsupported-media-type', 'The charset must be utf-8')
}

/** @throws Refusal 415 */
export function requireUncompressed(headers: IncomingHttpHeaders): void {
  const isPlain =
    ['', 'identity'].includes(headers['content-encoding']?.toLowerCase() ?? '') &&
    ['', 'chunked'].includes(headers['transfer-encoding']?.toLowerCase() ?? '')
  if (!isPlain)
    throw new Refusal(415, 'unsupported-media-type', 'The body must not be compressed: send no Content-Encoding')
}

/** @param mediaType in small letters, without parameters */
export const isJsonType = (mediaType: string): boolean => /^application\/(?:json|[\w.-]+\+json)$/.test(mediaType)

/** Straight from Node's stream: a limit on each piece needs no web stream around it. */
function readBytes(incoming: IncomingMessage, { maxBytes, idleMs, share, head }: BodyLimits): Promise<Buffer> {
  if (Number(incoming.headers['content-length']) > maxBytes) throw tooLarge(maxBytes)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const onData = (chunk: Buffer) => {
      head?.add(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) return fail(tooLarge(maxBytes))
      try {
        // Not what is declared: who sends slowly, or nothing, must not take the room of others.
        share.grow(chunk.length)
      } catch (error) {
        return fail(error)
      }
      chunks.push(chunk)
      timer.refresh()
    }
    const onEnd = () => {
      detach()
      resolve(Buffer.concat(chunks, bytes))
    }
    const onClose = () => fail(malformed('The body broke off'))
    const onIdle = () => fail(stalled(idleMs))
    const detach = () => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
    }
    const fail = (error: unknown) => {
      detach()
      reject(error)
    }

    const timer = setTimeout(onIdle, idleMs)
    if (incoming.destroyed) onClose()
    else incoming.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parse(bytes: Buffer): JsonObject {
  const json = parseJson(decode(bytes))
  if (!isJsonObject(json)) throw malformed('The body must be a JSON object')
  return json
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed('The body is not UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep()
    // The parser quotes the text in some of its messages; only a position at the end is its own.
    const position = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(String(error))?.[1]
    throw malformed(`The body is not JSON${position === undefined ? '' : `: reading stopped at position ${position}`}`)
  }
}

function canonical(json: JsonObject): string {
  try {
    return canonicalJson(json)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep()
    throw error
  }
}

const tooDeep = () => malformed('The body nests too deep')

export const malformed = (message: string) => new Refusal(400, 'malformed-body', message)
export const stalled = (idleMs: number) =>
  new Refusal(408, 'malformed-body', `No byte of the body came for ${idleMs} ms`)
export const tooLarge = (maxBytes: number, what = 'body') =>
  new Refusal(413, 'too-large', `The ${what} is larger than ${maxBytes} bytes`)
