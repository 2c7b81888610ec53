/** What a request asks for. */
export type Place =
  | { readonly operation: 'healthcheck' }
  /** Without an id: what stands in its place cannot be the id of any bill. */
  | { readonly operation: 'download'; readonly billId: string | undefined }

/**
 * Reads a request target as it was sent, because a parsed address would have lost its dots and slashes. Paths are compared to
 * the letter; a query is informative, as everything that a request may carry beside its path.
 */
export function findPlace(target: string): Place | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  if (path === '/dss/bill/healthcheck') return { operation: 'healthcheck' }
  const [, segment] = /^\/dss\/bill\/download\/([^/]*)$/.exec(path) ?? []
  return segment === undefined ? undefined : { operation: 'download', billId: readBillId(segment) }
}

/** Becomes part of a file name, so only what is harmless there passes, after it was decoded once. */
function readBillId(segment: string): string | undefined {
  const id = decode(segment)
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id) && !id.includes('..') ? id : undefined
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return ''
  }
}
