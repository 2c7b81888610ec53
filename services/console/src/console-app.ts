import type { Journal } from '@tieline/journal/journal'
import { noteAction, showMessage } from '@tieline/journal/operations'
import type { WebApp } from '@tieline/runtime/http-listener'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { createAccess, type Role } from './access.ts'
import { boardPath, createBoard } from './board.ts'
import { failuresPage } from './failures-page.ts'
import { type ConsoleEnv, createLogin } from './login.ts'
import { messagePage } from './message-page.ts'
import { leaveName, retryAll } from './resubmitter.ts'
import { isSafe } from './safe-methods.ts'
import { sameOrigin } from './same-origin.ts'
import { createSessions } from './sessions.ts'

interface ConsoleDeps {
  readonly journal: Journal
  readonly users: Installation['console']['users']
  readonly publicUrl: string | undefined
  /** Browsers reach the console over TLS, ours or a balancer's. */
  readonly secure: boolean
  readonly installation: Installation['installation']
  readonly logger: Logger
}

/** No request carries more than names, and at most a few ids of jobs. */
const bodyBytesMax = 64 * 1024

/** The web console: everything in it is for users who have logged in. */
export function createConsoleApp(deps: ConsoleDeps): WebApp {
  const { journal, users, publicUrl, secure, installation, logger } = deps
  const title = `Tieline ${installation.name} (${installation.environment})`
  const queues = journal.queues.all
  const readOnlyBoard = createBoard({ queues, title, readOnly: true })
  const workingBoard = createBoard({ queues, title, readOnly: false })
  const sessions = createSessions({ redis: journal.redis, installation: installation.name, users })
  const login = createLogin({ access: createAccess({ users, logger }), sessions, secure, logger })

  const app = new Hono<ConsoleEnv>()
  // With the usual no-referrer, browsers would not tell the origin of a form either.
  app.use(secureHeaders({ contentSecurityPolicy, xFrameOptions: 'DENY', referrerPolicy: 'same-origin' }))
  app.use(keepNothing)
  app.use(sameOrigin(publicUrl))
  app.use(bodyLimit({ maxSize: bodyBytesMax }))
  app.route('/', login.pages)
  app.use(login.required)
  app.use(allowChanges(journal, logger))
  app.get('/', (c) => c.redirect(boardPath))
  app.get('/messages/:key', async (c) => {
    const message = await showMessage(journal, c.req.param('key'))
    return message === undefined ? c.text('There is no such message', 404) : c.html(messagePage(message))
  })
  app.get('/failures', (c) => c.html(failuresPage()))
  app.all(`${boardPath}/*`, async (c) => {
    const { name, role } = c.var.user
    if (!mayChange(role)) return readOnlyBoard.fetch(c.req.raw, c.env)
    if (!isSafe(c.req.method)) {
      const retried = c.req.method === 'PUT' ? await retryAll(journal, c.req.path, name) : undefined
      if (retried !== undefined) return c.json(retried)
      await leaveName(journal, c.req.path, name)
    }
    return workingBoard.fetch(c.req.raw, c.env)
  })
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse()
    logger.error({ err: error }, `Unhandled error in ${c.req.method} ${c.req.path}`)
    return c.text('Something went wrong; the log of the console says what', 500)
  })
  return app
}

/** Bull Board's pages bring everything along but a font of Google, which stays out; they set styles from their script. */
const contentSecurityPolicy = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  objectSrc: ["'none'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
}

/** Pages with data must not stay in a browser that others use after us. What Bull Board consists of may. */
const keepNothing: MiddlewareHandler = async (c, next) => {
  await next()
  if (!c.req.path.startsWith(`${boardPath}/static/`)) c.header('cache-control', 'no-store')
}

/** Administrators can do what operators can; no page of the console is theirs alone. */
const mayChange = (role: Role): boolean => role !== 'viewer'

/** Refuses viewers whatever is not reading; what the others do is logged and audited. */
const allowChanges =
  (journal: Journal, logger: Logger): MiddlewareHandler<ConsoleEnv> =>
  async (c, next) => {
    if (isSafe(c.req.method)) return next()
    const { name, role } = c.var.user
    if (!mayChange(role)) return c.text('A viewer may look, not change', 403)
    await next()
    const { method, path } = c.req
    const { status } = c.res
    logger.info({ user: name, method, path, status }, `${name} did ${method} ${path}`)
    const key = path.replace(`${boardPath}/api/queues/`, '')
    return c.res.ok ? noteAction(journal, { who: name, what: 'board', key }) : undefined
  }
