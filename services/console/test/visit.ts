import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { password } from './harness.ts'

export interface Visit {
  /** Shows Basic credentials of this user. */
  readonly as?: string
  readonly password?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Sends the fields of a form in place of a body. */
  readonly form?: Record<string, string>
}

/** A call without the browser's headers, which `fetch` would add or withhold. */
export async function visit(url: string, { as, method = 'GET', headers = {}, body, form, ...more }: Visit = {}) {
  const credentials = as === undefined ? {} : { authorization: `Basic ${btoa(`${as}:${more.password ?? password}`)}` }
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
  const call = request(url, { method, headers: { ...credentials, 'content-type': type, ...headers } })
  call.end(form === undefined ? body && JSON.stringify(body) : new URLSearchParams(form).toString())
  const [response] = await once(call, 'response')
  return { status: response.statusCode as number, headers: response.headers, body: await text(response) }
}

/** What a browser sends along when one of the console's own pages does something. */
export const ownPage = { 'sec-fetch-site': 'same-origin' }

/** What a browser keeps after a login: its cookies as it sends them back, and the token that Bull Board's page reads there. */
export async function logIn(url: string, name: string, more: Visit = {}) {
  const form = { name, password, to: '' }
  const answer = await visit(`${url}/login`, { method: 'POST', headers: ownPage, form, ...more })
  const set = answer.headers['set-cookie'] ?? []
  const cookie = set.map((line: string) => line.split(';')[0]).join('; ')
  const [, token = ''] = /XSRF-TOKEN=([^;]+)/.exec(cookie) ?? []
  return { answer, set, cookie, token }
}
