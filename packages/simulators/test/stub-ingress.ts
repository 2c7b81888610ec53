import { Hono } from 'hono'
import { serve } from '../src/start.ts'

export interface StubRequest {
  readonly path: string
  readonly authorization: string | undefined
  readonly text: string
}

/** An ingress that answers as told, the last answer for ever; a function answers later. */
export async function startStubIngress(...script: (() => Response | Promise<Response>)[]) {
  const requests: StubRequest[] = []
  const app = new Hono().all('*', async (c) => {
    requests.push({ path: c.req.path, authorization: c.req.header('authorization'), text: await c.req.text() })
    const answer = script.length > 1 ? script.shift() : script[0]
    return answer ? answer() : c.body(null, 202)
  })
  const started = await serve({ app }, {})
  return { ...started, requests }
}

export const externalId = (id: string) => () => Response.json({ responseDetails: { externalId: id } })

export const ack = (ackType: string) => () =>
  Response.json({ MsgAck: { ackType, whenISO: '2024-09-01T18:00:05.000Z', responses: { response: [] } } })
