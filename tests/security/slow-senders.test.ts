import { connect } from 'node:net'
import { examples } from '@tieline/contracts/examples'
import { startIngress } from '@tieline/ingress/service'
import { listMessages } from '@tieline/journal/operations'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { credentials } from '@tieline/testkit/installation'
import { startPipeline } from '@tieline/testkit/pipeline'
import { expect, inject, test } from 'vitest'

const each = 40

const head = (line: string, ...fields: string[]) => `${[line, 'Host: ingress', ...fields].join('\r\n')}\r\n\r\n`
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const known = `Authorization: ${basicAuthorization(credentials.derms)}`
const json = 'Content-Type: application/json'
const chunked = 'Transfer-Encoding: chunked'
const multipart = 'Content-Type: multipart/mixed; boundary=b'

/** What each kind of slow sender begins with, what it goes on with, and how the connection ends. */
const slowSenders: Readonly<Record<string, { begins: string; goesOn?: string; told: RegExp }>> = {
  'says nothing': { begins: '', told: /^(?:HTTP\/1\.1 408 .*)?$/s },
  'sends headers bit by bit': {
    begins: 'POST /derms/statusUpdate HTTP/1.1\r\nX-A: ',
    goesOn: 'a',
    told: /^HTTP\/1\.1 408 /,
  },
  'begins headers without end': {
    begins: 'POST /derms/statusUpdate HTTP/1.1\r\n',
    goesOn: 'X-A: a\r\n',
    told: /^HTTP\/1\.1 408 /,
  },
  'stops in JSON': {
    begins: `${head('POST /derms/statusUpdate HTTP/1.1', json, known, 'Content-Length: 9000000')}{"a":`,
    told: /^HTTP\/1\.1 408 /,
  },
  'stops in a chunk': {
    begins: `${head('POST /derms/statusUpdate HTTP/1.1', json, known, chunked)}${chunk('{"a":')}FFFFFF\r\n`,
    told: /^HTTP\/1\.1 408 /,
  },
  'stops in a file': {
    begins: `${head('POST /derms/eventOutcome HTTP/1.1', multipart, known, chunked)}${chunk('--b\r\nContent-Type: text/csv\r\n\r\nnicId,')}`,
    // There is room for the beginnings of 32 files at a time.
    told: /^HTTP\/1\.1 (?:408|503) /,
  },
  'sends a body that nobody may send': {
    begins: `${head('POST /derms/statusUpdate HTTP/1.1', json, 'Content-Length: 9000000')}{`,
    goesOn: ' ',
    told: /^HTTP\/1\.1 401 /,
  },
  'sends a body to no flow': {
    begins: `${head('PUT /nothing HTTP/1.1', 'Content-Length: 9000000')}{`,
    goesOn: ' ',
    told: /^HTTP\/1\.1 404 /,
  },
  'sends a body where none belongs': {
    begins: `${head('GET /health/live HTTP/1.1', 'Content-Length: 9000000')}{`,
    goesOn: ' ',
    told: /^HTTP\/1\.1 200 /,
  },
}

test('hundreds of slow senders are let go, keep nobody from being served, and leave nothing behind', async () => {
  await using pipeline = await startPipeline({ redisUrl: inject('redisUrl'), services: [] })
  const limits = { idleMs: 600, headersTimeoutMs: 1_000 }
  await using ingress = await startIngress(pipeline.settings, { ...limits, startWithinMs: 30_000 })
  const { port } = new URL(ingress.url)

  const slow = Object.entries(slowSenders).flatMap(([kind, { begins, goesOn, told }]) =>
    Array.from({ length: each }, () => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.write(begins)
      const dripping = goesOn === undefined ? undefined : setInterval(() => socket.write(goesOn), 200)
      const ended = new Promise<{ said: string; reset: boolean }>((resolve) => {
        const end = { said: '', reset: false }
        socket.setEncoding('utf8').on('data', (text) => {
          end.said += text
        })
        socket.on('error', () => {
          end.reset = true
        })
        socket.once('close', () => {
          clearInterval(dripping)
          resolve(end)
        })
      })
      return { kind, told, ended }
    }),
  )
  const answer = await fetch(`${ingress.url}/derms/sendEnrollAck`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basicAuthorization(credentials.derms) },
    body: JSON.stringify(examples['enrollment-sync-ack']),
  })
  expect(answer.status).toBe(202)

  // Each of them ends by our own doing; the test would wait for ever otherwise.
  for (const { kind, told, ended } of slow) {
    const { said, reset } = await ended
    // An answer may be lost when more is sent after it.
    if (said !== '' || !reset) expect(said, kind).toMatch(told)
  }
  expect((await listMessages(pipeline.journal)).map(({ flow }) => flow)).toEqual(['enrollment-sync-ack'])
})
