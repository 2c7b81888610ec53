import { createAdaptorServer } from '@hono/node-server'
import { enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { Hono } from 'hono'
import { Redis } from 'ioredis'

// The reference of the accept measurement: the same contract, one LPUSH of the body, and nothing of what Tieline promises.
const redis = new Redis(process.env.REDIS_URL ?? '')
const app = new Hono().post('/derms/sendEnrollAck', async (c) => {
  const body = await c.req.text()
  if (!enrollmentSyncAck.safeParse(JSON.parse(body)).success) return c.body(null, 400)
  await redis.lpush('plain-accept', body)
  return c.body(null, 202)
})
createAdaptorServer(app).listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('ready\n'))
