import { Agent, createServer } from 'node:http'
import axios from 'axios'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'

// Forwards: one PATCH for each acknowledgment, as Tieline does it.
const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
const client = axios.create({ httpAgent: new Agent({ keepAlive: true, maxSockets: 16 }), timeout: 30_000 })
const forward = async ({ data }) => {
  for (const { dacsMessageId, responseCode } of data.MsgAck.responses.response) {
    const update = { 'F1-UpdateSyncRequest': { syncRequestId: dacsMessageId, hasError: responseCode !== 'SUCCESS' } }
    await client.patch(`${process.env.TARGET}/common/sync/syncRequest/${dacsMessageId}`, update)
  }
}
new Worker('forward', forward, { connection, concurrency: 50 })
createServer((_request, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1')
