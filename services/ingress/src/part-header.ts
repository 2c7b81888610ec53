import { MIMEType } from 'node:util'
import { Refusal } from './problems.ts'
import { malformed } from './read-body.ts'

/** What a part of a multipart body says about itself. */
export interface PartHeader {
  /** In small letters, without parameters; empty when the part does not say. */
  readonly mediaType: string
  /** In small letters. */
  readonly charset: string | undefined
  /** `Content-Transfer-Encoding` in small letters, empty when the part does not say. */
  readonly encoding: string
  readonly fileName: string | undefined
}

/** Reads the lines of a header, some of which may go on in the next; of a field that comes twice the first counts. */
export function readPartHeader(lines: readonly string[]): PartHeader {
  const fields = new Map<string, string>()
  const unfolded = lines.join('\n').replaceAll(/\n[ \t]+/g, ' ')
  for (const line of unfolded.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):(.*)$/.exec(line) ?? []
    const known = name.trim().toLowerCase()
    if (!fields.has(known)) fields.set(known, Buffer.from(value, 'latin1').toString('utf8').trim())
  }
  const type = readType(fields.get('content-type') ?? '')
  // Its syntax is that of a media type without the first half.
  const disposition = readType(`x/${fields.get('content-disposition') ?? ''}`)
  return {
    mediaType: type?.essence ?? '',
    charset: type?.params.get('charset')?.toLowerCase(),
    encoding: fields.get('content-transfer-encoding')?.toLowerCase() ?? '',
    fileName: extendedValue(disposition?.params.get('filename*')) ?? disposition?.params.get('filename') ?? undefined,
  }
}

/**
 * The boundary of a multipart body.
 * @throws Refusal 415 for anything but multipart/mixed, form-data and related, 400 when there is no usable boundary
 */
export function boundaryOf(contentType: string | undefined): string {
  const type = readType(contentType ?? '')
  if (!['multipart/mixed', 'multipart/form-data', 'multipart/related'].includes(type?.essence ?? '')) {
    const message = 'Content-Type must be multipart/mixed, form-data or related: a JSON part and a file'
    throw new Refusal(415, 'unsupported-media-type', message)
  }
  const boundary = type?.params.get('boundary') ?? ''
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) throw malformed('Content-Type has no usable boundary')
  return boundary
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
