import { expect, it } from 'vitest'
import { type FarSide, json, type Respond, startFarSide } from './far-side.ts'
import { createTestTarget, failureOf } from './target.ts'

/** A target that takes only `valid` tokens, and a token endpoint that issues t1, t2, … */
async function setup(options: { expiresInS?: number; onToken?: Respond; accepts?: (header: string) => boolean } = {}) {
  let issued = 0
  const tokens = await startFarSide(
    options.onToken ??
      ((_request, response) => {
        issued += 1
        response.end(JSON.stringify({ access_token: `t${issued}`, expires_in: options.expiresInS ?? 3_600 }))
      }),
  )
  const far = await startFarSide((request, response) => {
    const accepted = options.accepts?.(request.headers.authorization ?? '') ?? true
    response.writeHead(accepted ? 200 : 401).end('{}')
  })
  const target = await createTestTarget({
    auth: { oauth2: { tokenUrl: tokens.url, clientId: 'tie line', clientSecret: 's&cret', scope: 'nms' } },
  })
  const tokensUsed = () => far.received.map(({ headers }) => headers.authorization)
  return {
    tokens,
    far,
    tokensUsed,
    call: () => target.post(far.url),
    async [Symbol.asyncDispose]() {
      target[Symbol.dispose]()
      await Promise.all([tokens, far].map((side: FarSide) => side[Symbol.asyncDispose]()))
    },
  }
}

it('fetches one token for many calls at once and keeps it', async () => {
  await using test = await setup()
  await Promise.all(Array.from({ length: 10 }, test.call))
  await test.call()
  expect(test.tokens.received).toHaveLength(1)
  expect(new Set(test.tokensUsed())).toEqual(new Set(['Bearer t1']))
  const [request] = test.tokens.received
  expect(request?.body).toBe('grant_type=client_credentials&scope=nms')
  expect(request?.headers).toMatchObject({
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from('tie+line:s%26cret').toString('base64')}`,
  })
})

it('replaces a token before it expires', async () => {
  // The token is good for 50 ms, of which the last 10 are not used.
  await using test = await setup({ expiresInS: 0.05 })
  await test.call()
  await new Promise((resolve) => setTimeout(resolve, 41))
  await test.call()
  expect(test.tokensUsed()).toEqual(['Bearer t1', 'Bearer t2'])
})

it('tries once more with a new token after a 401', async () => {
  await using test = await setup({ accepts: (header) => header === 'Bearer t2' })
  expect(await test.call()).toMatchObject({ status: 200 })
  expect(test.tokensUsed()).toEqual(['Bearer t1', 'Bearer t2'])
})

it('replaces a withdrawn token once for all calls that met it', async () => {
  await using test = await setup({ accepts: (header) => header === 'Bearer t2' })
  await Promise.all(Array.from({ length: 8 }, test.call))
  expect(test.tokens.received).toHaveLength(2)
})

it('gives up after a second 401, and pauses', async () => {
  await using test = await setup({ accepts: () => false })
  const error = await failureOf(test.call())
  expect(error).toMatchObject({ code: 'target-unauthorized', outcome: 'failed', status: 401 })
  expect(test.far.received).toHaveLength(2)
  expect(await failureOf(test.call())).toMatchObject({ code: 'connection-paused' })
  expect(test.tokens.received).toHaveLength(2)
})

it('pauses when the token endpoint refuses the client, without a call', async () => {
  await using test = await setup({ onToken: json(401, { error: 'invalid_client' }) })
  const error = await failureOf(test.call())
  expect(error).toMatchObject({ code: 'target-unauthorized', outcome: 'failed' })
  expect(error.message).toBe('FAR: enroll got no token: the token endpoint answered 401')
  expect(error.status).toBeUndefined()
  expect(await failureOf(test.call())).toMatchObject({ code: 'connection-paused' })
  expect(test.tokens.received).toHaveLength(1)
  expect(test.far.received).toHaveLength(0)
})

it('asks again for a token after the endpoint has failed', async () => {
  let failing = true
  await using test = await setup({
    onToken: (request, response, socket) =>
      failing ? socket.destroy() : json(200, { access_token: 't' })(request, response, socket),
  })
  expect(await failureOf(test.call())).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  failing = false
  expect(await test.call()).toMatchObject({ status: 200 })
})

it.each([{}, { access_token: '' }, { access_token: 'two\r\nlines: here' }, { access_token: 7 }])(
  'does not send what is no token: %j',
  async (grant) => {
    await using test = await setup({ onToken: json(200, grant) })
    expect(await failureOf(test.call())).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(test.far.received).toHaveLength(0)
  },
)

it('gives up in time when the token endpoint hangs, and nothing was applied', async () => {
  await using tokens = await startFarSide(() => undefined)
  await using far = await startFarSide(json(200))
  const oauth2 = { tokenUrl: tokens.url, clientId: 'tieline', clientSecret: 'secret' }
  using target = await createTestTarget({ auth: { oauth2 }, timeoutMs: 100 })
  const error = await failureOf(target.post(far.url))
  expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  expect(error.message).toBe('FAR: enroll got no token: no answer of the token endpoint (timeout)')
  expect(tokens.received).toHaveLength(1)
  expect(far.received).toHaveLength(0)
})
