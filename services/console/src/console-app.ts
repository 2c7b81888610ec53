import type { Journal } from '@tieline/journal/journal'
import { showMessage } from '@tieline/journal/operations'
import type { WebApp } from '@tieline/runtime/http-listener'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import { Hono, type MiddlewareHandler } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { createAccess, type Role, type User } from './access.ts'
import { boardPath, createBoard } from './board.ts'
import { failuresPage } from './failures-page.ts'
import { messagePage } from './message-page.ts'
import { leaveName } from './resubmitter.ts'
import { isSafe } from './safe-methods.ts'
import { sameOrigin } from './same-origin.ts'

interface ConsoleDeps {
  readonly journal: Journal
  readonly users: Installation['console']['users']
  readonly publicUrl: string | undefined
  readonly installation: Installation['installation']
  readonly logger: Logger
}

type ConsoleEnv = { Variables: { user: User } }

/** The web console: everything in it is for users who have logged in. */
export function createConsoleApp({ journal, users, publicUrl, installation, logger }: ConsoleDeps): WebApp {
  const title = `Tieline ${installation.name} (${installation.environment})`
  const queues = journal.queues.all
  const readOnlyBoard = createBoard({ queues, title, readOnly: true })
  const workingBoard = createBoard({ queues, title, readOnly: false })

  const app = new Hono<ConsoleEnv>()
  app.use(secureHeaders({ contentSecurityPolicy, xFrameOptions: 'DENY' }))
  app.use(sameOrigin(publicUrl))
  app.use(authenticate(users, logger))
  app.use(allowChanges(logger))
  app.get('/', (c) => c.redirect(boardPath))
  app.get('/messages/:key', async (c) => {
    const message = await showMessage(journal, c.req.param('key'))
    return message === undefined ? c.text('There is no such message', 404) : c.html(messagePage(message))
  })
  app.get('/failures', (c) => c.html(failuresPage()))
  app.all(`${boardPath}/*`, async (c) => {
    const { name, role } = c.var.user
    if (!mayChange(role)) return readOnlyBoard.fetch(c.req.raw, c.env)
    if (!isSafe(c.req.method)) await leaveName(journal, c.req.path, name)
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

function authenticate(users: ConsoleDeps['users'], logger: Logger): MiddlewareHandler<ConsoleEnv> {
  const access = createAccess(users)
  return basicAuth({
    realm: 'Tieline',
    invalidUserMessage: 'Log in with a user of console.users',
    async verifyUser(name, password, c) {
      const user = await access(name, password)
      if (user !== undefined) c.set('user', user)
      // An unknown name may be a password in the wrong field, so it is not logged.
      else logger.warn({ user: users.some((known) => known.name === name) ? name : undefined }, 'A login was refused')
      return user !== undefined
    },
  })
}

/** Administrators can do what operators can; no page of the console is theirs alone. */
const mayChange = (role: Role): boolean => role !== 'viewer'

/** Refuses viewers whatever is not reading, and logs what the others do. */
const allowChanges =
  (logger: Logger): MiddlewareHandler<ConsoleEnv> =>
  async (c, next) => {
    if (isSafe(c.req.method)) return next()
    const { name, role } = c.var.user
    if (!mayChange(role)) return c.text('A viewer may look, not change', 403)
    await next()
    const action = { user: name, method: c.req.method, path: c.req.path, status: c.res.status }
    return logger.info(action, `${name} did ${c.req.method} ${c.req.path}`)
  }
