import type { Logger } from '@tieline/runtime/logger'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Access, User } from './access.ts'
import { boardPath } from './board.ts'
import { bouncePage, loginPage, logoutPage } from './login-page.ts'
import { isSafe } from './safe-methods.ts'
import { isToken, type Sessions, sessionS, tokenOf } from './sessions.ts'

interface Deps {
  readonly access: Access
  readonly sessions: Sessions
  /** Browsers reach the console over TLS, ours or a balancer's. */
  readonly secure: boolean
  readonly logger: Logger
}

export type ConsoleEnv = { Variables: { user: User } }

/**
 * How users come in: with a session that begins at a login page, or with Basic credentials, which scripts send along.
 * `pages` are for everybody, what follows `required` only for those who have come in.
 */
export function createLogin({ access, sessions, secure, logger }: Deps) {
  const cookie = { path: '/', secure, sameSite: 'Strict' } as const
  // The prefix keeps others, such as a neighbour under the same domain, from setting it.
  const hidden = { ...cookie, httpOnly: true, ...(secure && { prefix: 'host' as const }) } as const
  const idOf = (c: Context) => (secure ? getCookie(c, name, 'host') : getCookie(c, name)) ?? ''

  const basic = basicAuth({
    realm: 'Tieline',
    invalidUserMessage: 'Log in with a user of console.users',
    async verifyUser(username, password, c: Context<ConsoleEnv>) {
      const user = await access(username, password)
      if (user !== undefined) c.set('user', user)
      return user !== undefined
    },
  })

  const required: MiddlewareHandler<ConsoleEnv> = async (c, next) => {
    if (c.req.header('authorization') !== undefined) return basic(c, next)
    const id = idOf(c)
    const user = await sessions.find(id)
    if (user === undefined) return sendAway(c)
    if (!isSafe(c.req.method) && !isToken(id, c.req.header(tokenHeader))) return c.text(withoutToken, 403)
    c.set('user', user)
    return next()
  }

  const pages = new Hono()
    .get('/login', (c) => c.html(loginPage({ to: ownPath(c.req.query('to')) })))
    .post('/login', async (c) => {
      const { name: username, password, to } = await c.req.parseBody()
      const user = await access(String(username), String(password))
      if (user === undefined) return c.html(loginPage({ to: ownPath(String(to)), refused: true }), 401)
      // A new id each time: one that somebody else put there before would let them in as well.
      await sessions.end(idOf(c))
      const id = await sessions.begin(user)
      setCookie(c, name, id, { ...hidden, maxAge: sessionS })
      setCookie(c, tokenCookie, tokenOf(id), { ...cookie, maxAge: sessionS })
      logger.info({ user: user.name }, `${user.name} logged in`)
      return c.redirect(ownPath(String(to)), 303)
    })
    .get('/logout', (c) => c.html(logoutPage({ token: tokenOf(idOf(c)) })))
    .post('/logout', async (c) => {
      const id = idOf(c)
      const { token } = await c.req.parseBody()
      if (!isToken(id, String(token))) return c.text(withoutToken, 403)
      await sessions.end(id)
      deleteCookie(c, name, hidden)
      deleteCookie(c, tokenCookie, cookie)
      return c.redirect('/login', 303)
    })

  return { pages, required }
}

const name = 'tieline'

/** What Bull Board's page reads its token from, and sends it along as: the defaults of its HTTP client. */
const tokenCookie = 'XSRF-TOKEN'
const tokenHeader = 'x-xsrf-token'
const withoutToken = 'Refused: the request does not carry the token of its session'

/** Browsers are led to the login page; others, and what pages fetch, are told. */
function sendAway(c: Context) {
  const path = ownPath(c.req.url)
  const isPage = c.req.method === 'GET' && c.req.header('accept')?.includes('text/html') === true
  // A browser leaves a strict cookie out when it follows a link in an e-mail. It shows it when our own page leads on.
  if (isPage && c.req.header('sec-fetch-site') === 'cross-site') return c.html(bouncePage(path))
  if (isPage) return c.redirect(`/login?to=${encodeURIComponent(path)}`, 303)
  // The challenge would make a browser ask for a password in a window of its own, whenever a session ends.
  const challenge =
    c.req.header('sec-fetch-mode') === undefined ? { 'www-authenticate': 'Basic realm="Tieline"' } : undefined
  return c.text('Log in with a user of console.users', 401, challenge)
}

const anyOrigin = 'http://console'

/** A path of the console itself, whatever was asked for: nobody is led elsewhere after the login. */
function ownPath(asked = ''): string {
  if (!URL.canParse(asked, anyOrigin)) return boardPath
  const { pathname, search } = new URL(asked, anyOrigin)
  return /^\/(?:queues|messages|failures)(?:\/|$)/.test(pathname) ? pathname + search : boardPath
}
