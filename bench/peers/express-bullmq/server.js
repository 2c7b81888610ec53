import { Queue } from 'bullmq'
import express from 'express'
import { Redis } from 'ioredis'

// Accepts: the body becomes the data of a job.
const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: 1 })
const queue = new Queue('forward', {
  connection,
  defaultJobOptions: {
    attempts: 5,
    backoff: { type: 'exponential', delay: 1_000 },
    removeOnComplete: 1_000,
    removeOnFail: false,
  },
})
const app = express()
app.use(express.json({ limit: '10mb' }))
app.get('/health/ready', (_request, response) => response.end())
app.post('/derms/sendEnrollAck', async (request, response) => {
  if (!Array.isArray(request.body?.MsgAck?.responses?.response)) return response.status(400).end()
  await queue.add('acknowledgment', request.body)
  response.status(202).end()
})
app.listen(Number(process.env.PORT), '127.0.0.1')
