import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsole } from '../src/service.ts'
import { openInstallation, password } from './harness.ts'
import { logIn, ownPage, visit } from './visit.ts'

let site: Awaited<ReturnType<typeof openInstallation>>
let web: Awaited<ReturnType<typeof startConsole>>

beforeAll(async () => {
  site = await openInstallation()
  web = await startConsole(site.settings)
})

afterAll(async () => {
  await web[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const page = { accept: 'text/html' }
const look = (path: string, headers: Record<string, string>) => visit(web.url + path, { headers })
const change = (headers: Record<string, string>) =>
  visit(`${web.url}/queues/api/queues/stage-status/resume`, { method: 'PUT', headers: { ...ownPage, ...headers } })

describe('a browser without a session', () => {
  it('is led to the login page, and from there to the page it asked for and no other site', async () => {
    const { status, headers } = await look('/messages/a%2Fb?x=1', page)
    expect([status, headers.location]).toEqual([303, '/login?to=%2Fmessages%2Fa%252Fb%3Fx%3D1'])
    const form = await look(headers.location ?? '', page)
    expect(form.body).toContain('name="to" value="/messages/a%2Fb?x=1"')

    const wanted: [string, string][] = [
      ['/messages/a%2Fb?x=1', '/messages/a%2Fb?x=1'],
      ['//evil.example/queues', '/queues'],
      ['https://evil.example/failures', '/failures'],
      ['/\\evil.example', '/queues'],
      ['javascript:alert(1)', '/queues'],
      ['/login', '/queues'],
    ]
    for (const [to, place] of wanted) {
      const { answer } = await logIn(web.url, 'viewer', { form: { name: 'viewer', password, to } })
      expect(answer, to).toMatchObject({ status: 303, headers: { location: place } })
    }
  })

  it('comes from an e-mail: our own page leads on, so that the cookie comes along', async () => {
    const { status, body } = await look('/messages/"><b>', { ...page, 'sec-fetch-site': 'cross-site' })
    expect(status).toBe(200)
    expect(body).toContain('content="0; url=/messages/%22%3E%3Cb%3E"')
  })

  it('is not asked for a password by a window of the browser when a page fetches something', async () => {
    const { status, headers } = await look('/queues/api/queues', { 'sec-fetch-mode': 'cors' })
    expect([status, headers['www-authenticate']]).toEqual([401, undefined])
  })

  it('gets none with a wrong password, of an unknown user, or from the form of another site', async () => {
    for (const form of [
      { name: 'operator', password: 'wrong' },
      { name: 'nobody', password },
      { name: '', password: '' },
    ]) {
      const { answer, set } = await logIn(web.url, 'operator', { form })
      expect([answer.status, set]).toEqual([401, []])
      expect(answer.body).toContain('Name or password is wrong')
      expect(answer.body).not.toContain(password)
    }
    const { answer, set } = await logIn(web.url, 'operator', { headers: { 'sec-fetch-site': 'cross-site' } })
    expect([answer.status, set]).toEqual([403, []])
    const large = await logIn(web.url, 'operator', { form: { name: 'operator', password: 'x'.repeat(100_000) } })
    expect(large.answer.status).toBe(413)
  })
})

describe('a session', () => {
  it('opens what its user may see, and no page of it stays in the browser', async () => {
    const { cookie } = await logIn(web.url, 'viewer')
    for (const path of ['/queues', '/queues/api/queues', '/failures']) {
      const { status, headers } = await look(path, { cookie })
      expect([status, headers['cache-control']], path).toEqual([200, 'no-store'])
    }
  })

  it('shows its cookie to this site alone, and no script can read its id', async () => {
    const { set } = await logIn(web.url, 'viewer')
    expect(set).toHaveLength(2)
    for (const line of set) expect(line).toMatch(/; Path=\/;.*SameSite=Strict/)
    expect(set.filter((line: string) => line.includes('HttpOnly'))).toEqual([expect.stringMatching(/^tieline=/)])

    const { users } = site.settings.installation.console
    const logInBehindProxy = async (publicUrl: string) => {
      await using proxied = await openInstallation({ console: { behindProxy: true, publicUrl, users } })
      await using behind = await startConsole(proxied.settings)
      const session = await logIn(behind.url, 'viewer')
      expect((await visit(`${behind.url}/failures`, { headers: { cookie: session.cookie } })).status).toBe(200)
      return session.set
    }
    const secure = await logInBehindProxy('https://tieline.example')
    for (const line of secure) expect(line).toContain('Secure')
    expect(secure[0]).toMatch(/^__Host-tieline=/)
    // A browser would not keep a secure cookie of a page that came in clear.
    const clear = await logInBehindProxy('http://127.0.0.1:8090')
    for (const line of clear) expect(line).not.toContain('Secure')
  })

  it('changes something only with its own token, from a page of the console, and for no viewer', async () => {
    const [ann, other] = [await logIn(web.url, 'operator'), await logIn(web.url, 'operator')]
    const { cookie, token } = ann
    expect(await change({ cookie, 'x-xsrf-token': token })).toMatchObject({ status: 200 })
    for (const headers of [
      { cookie },
      { cookie, 'x-xsrf-token': '' },
      { cookie, 'x-xsrf-token': other.token },
      { cookie: cookie.replace(token, other.token), 'x-xsrf-token': other.token },
      { cookie, 'x-xsrf-token': token, 'sec-fetch-site': 'same-site' },
    ]) {
      expect(await change(headers), JSON.stringify(headers)).toMatchObject({ status: 403 })
    }
    const viewer = await logIn(web.url, 'viewer')
    expect(await change({ cookie: viewer.cookie, 'x-xsrf-token': viewer.token })).toMatchObject({ status: 403 })
  })

  it('begins with an id that nobody knew before, and is kept in Redis as a hash that opens nothing', async () => {
    const before = await logIn(web.url, 'operator')
    const { cookie } = await logIn(web.url, 'operator', { headers: { ...ownPage, cookie: before.cookie } })
    expect(cookie).not.toBe(before.cookie)
    expect((await look('/failures', { cookie: before.cookie })).status).toBe(401)
    expect((await look('/failures', { cookie })).status).toBe(200)

    const [, id = ''] = /tieline=([^;]+)/.exec(cookie) ?? []
    const kept = hash('sha256', id, 'base64url')
    const { name } = site.settings.installation.installation
    expect(await site.redis.ttl(`{${name}}:console:session:${kept}`)).toBeGreaterThan(0)
    expect((await look('/failures', { cookie: `tieline=${kept}` })).status).toBe(401)
  })

  it('ends with a logout that carries its token; the copy of its cookie is worth nothing then', async () => {
    const { cookie, token } = await logIn(web.url, 'operator')
    const logOut = (form: Record<string, string>) =>
      visit(`${web.url}/logout`, { method: 'POST', headers: { ...ownPage, cookie }, form })
    expect((await look('/logout', { cookie })).body).toContain(`name="token" value="${token}"`)
    expect((await logOut({})).status).toBe(403)
    expect((await look('/failures', { cookie })).status).toBe(200)
    const { status, headers } = await logOut({ token })
    expect([status, headers.location]).toEqual([303, '/login'])
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^tieline=; Max-Age=0/),
      expect.stringMatching(/^XSRF-TOKEN=; Max-Age=0/),
    ])
    expect((await look('/failures', { cookie })).status).toBe(401)
  })

  it('outlives a restart of the console, but not its user nor the password', async () => {
    const { cookie } = await logIn(web.url, 'operator')
    const { installation } = site.settings
    const { users } = installation.console
    const statusWith = async (changed: typeof users) => {
      const settings = {
        ...site.settings,
        installation: { ...installation, console: { ...installation.console, users: changed } },
      }
      await using again = await startConsole(settings)
      return (await visit(`${again.url}/failures`, { headers: { cookie } })).status
    }
    expect(await statusWith(users)).toBe(200)
    expect(await statusWith(users.filter(({ name }) => name !== 'operator'))).toBe(401)
    const passwordHash = users[0]?.passwordHash ?? ''
    expect(await statusWith(users.map((user) => ({ ...user, passwordHash })))).toBe(401)
  })
})

it('scripts come in with Basic credentials, and no session begins', async () => {
  const { status, headers } = await visit(`${web.url}/queues/api/queues`, { as: 'viewer' })
  expect([status, headers['set-cookie']]).toEqual([200, undefined])
})
