import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

// DACS and DERMS for measurements: they take everything, keep nothing but counts, and answer after LATENCY_MS.
const latencyMs = Number(process.env.LATENCY_MS ?? 0)
const counts = { calls: 0, rows: 0, acks: 0, lastCallAt: 0 }

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  const url = request.url ?? ''
  const isKept = !url.includes('/device-score/')
  for await (const chunk of request) if (isKept) chunks.push(chunk as Buffer)
  if (url === '/counts') {
    response.end(JSON.stringify(counts))
    return
  }
  if (url.endsWith('-ack')) counts.acks += 1
  if (latencyMs > 0) await delay(latencyMs)
  if (url.includes('/programEvent/') || url.includes('/syncRequest/')) counts.calls += 1
  if (url.includes('/programEventParticipation/')) {
    counts.calls += 1
    counts.rows += Buffer.concat(chunks).toString('latin1').split('"nicId"').length - 1
    counts.lastCallAt = Date.now()
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{}')
}

createServer((request, response) => void answer(request, response)).listen(Number(process.env.PORT), '127.0.0.1')
