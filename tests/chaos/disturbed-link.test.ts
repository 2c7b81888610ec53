import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { startDisturbedLink } from '@tieline/tools/chaos/disturbed-link'
import { describe, expect, it } from 'vitest'

/** A server that sends back what it gets, behind a link, and a client of it. */
async function startTalk() {
  const parts = new AsyncDisposableStack()
  let received = ''
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
      socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  parts.defer(() => void server.close())
  const link = parts.use(await startDisturbedLink((server.address() as AddressInfo).port, { lateArrivals: false }))
  const client = connect(link.port, '127.0.0.1')
  client.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  parts.defer(() => void client.destroy())
  await once(client, 'connect')
  return { link, client, closed, received: () => received, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const nextText = async (socket: Socket) => String((await once(socket, 'data'))[0])

describe('a disturbed link', () => {
  it('carries both ways as long as nothing disturbs it', async () => {
    await using talk = await startTalk()
    talk.client.write('hello')
    expect(await nextText(talk.client)).toBe('hello')
  })

  it('breaks in the middle of what is sent', async () => {
    await using talk = await startTalk()
    talk.client.write('all well')
    await nextText(talk.client)
    await talk.link.disturb({ kind: 'cut', oneIn: 1, afterBytes: 3 })
    talk.client.write('broken')
    await talk.closed
    expect('all wellbro'.startsWith(talk.received())).toBe(true)
    expect(talk.link.broken()).toBe(1)
  })

  it('loses what is sent while it is half open, and breaks at last', async () => {
    await using talk = await startTalk()
    talk.client.write('before')
    await nextText(talk.client)
    const over = talk.link.disturb({ kind: 'half-open', oneIn: 1, forMs: 60_000 })
    talk.client.write('lost')
    talk.link.heal()
    await Promise.all([over, talk.closed])
    expect(talk.received()).toBe('before')
  })

  it('is itself again when a delay is healed', async () => {
    await using talk = await startTalk()
    const over = talk.link.disturb({ kind: 'delay', ms: 20, forMs: 60_000 })
    talk.client.write('late')
    expect(await nextText(talk.client)).toBe('late')
    talk.link.heal()
    await over
    talk.client.write('soon')
    expect(await nextText(talk.client)).toBe('soon')
  })
})
