import { createHash } from 'node:crypto'
import { createAdaptorServer } from '@hono/node-server'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { createSealer } from '@tieline/journal/sealer'
import { Hono } from 'hono'
import { Redis } from 'ioredis'

// The reference of the accept measurement: the same contract, one LPUSH of the body, and nothing of what Tieline promises. With
// SEALED the body is hashed and encrypted before, as Tieline does it.
const redis = new Redis(process.env.REDIS_URL ?? '')
const sealer = createSealer([{ id: 'k', key: Buffer.alloc(32, 1) }])
const isSealed = process.env.SEALED === '1'

function toStored(body: string, message: unknown): string | Buffer {
  if (!isSealed) return body
  const hash = createHash('sha256').update(canonicalJson(message)).digest('hex')
  return Buffer.concat([Buffer.from(hash), sealer.sealBytes(body, hash)])
}

const app = new Hono().post('/derms/sendEnrollAck', async (c) => {
  const body = await c.req.text()
  const message: unknown = JSON.parse(body)
  if (!enrollmentSyncAck.safeParse(message).success) return c.body(null, 400)
  await redis.lpush('plain-accept', toStored(body, message))
  return c.body(null, 202)
})
createAdaptorServer(app).listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('ready\n'))
