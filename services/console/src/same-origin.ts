import type { MiddlewareHandler } from 'hono'
import { isSafe } from './safe-methods.ts'

/**
 * Refuses requests that change something unless the browser says that the console's own pages made them. Browsers send
 * the user's credentials along with requests of any page, so credentials alone prove nothing.
 * @param publicUrl address behind a balancer that does not pass the Host header on
 */
export const sameOrigin =
  (publicUrl: string | undefined): MiddlewareHandler =>
  async (c, next) => {
    if (isSafe(c.req.method) || isOwn(c.req.header(), publicUrl)) return next()
    return c.text('Refused: the request does not come from the console itself', 403)
  }

function isOwn(headers: Readonly<Record<string, string>>, publicUrl: string | undefined): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  // Browsers leave Sec-Fetch-Site out over plain HTTP, but never the origin of a request that changes something.
  const { origin, host } = headers
  if (origin === undefined || !URL.canParse(origin)) return false
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).origin
  return origin === own || new URL(origin).host === host
}
