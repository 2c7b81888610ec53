import { Agent, createServer } from 'node:http'
import { Readable } from 'node:stream'
import got from 'got'
import Papa from 'papaparse'
import { outcomeRows } from './event-files.ts'

// The reference of the outcome measurement: rows are read, put together by 200, and posted 16 at a time with the same client.
const client = got.extend({ agent: { http: new Agent({ keepAlive: true, maxSockets: 16 }) }, retry: { limit: 0 } })
const url = `${process.env.TARGET}/cross/service/programEventParticipation/postEventOutcome`

interface Row {
  readonly stageId: string
  readonly nicId: string
  readonly headEndSystemId: string
  readonly participationStartDateTime: string
  readonly participationEndDateTime: string
}

const toItem = (row: Row) => ({
  eventExternalIdentifier: row.stageId,
  nicId: row.nicId,
  headEndSystem: row.headEndSystemId,
  participationStatus: 'D1SP',
  participationStartDateTime: row.participationStartDateTime,
  participationEndDateTime: row.participationEndDateTime,
})

async function run(): Promise<void> {
  const parsed = Readable.from(outcomeRows(100_000)).pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { header: true }))
  const underWay = new Set<Promise<unknown>>()
  const post = async (postOutcomeList: object[]) => {
    if (underWay.size >= 16) await Promise.race(underWay)
    const call = client.post(url, { json: { postOutcomeList } })
    underWay.add(call)
    void call.then(() => underWay.delete(call))
  }
  let segment: object[] = []
  for await (const row of parsed as AsyncIterable<Row>) {
    segment.push(toItem(row))
    if (segment.length < 200) continue
    await post(segment)
    segment = []
  }
  if (segment.length > 0) await post(segment)
  await Promise.all(underWay)
}

createServer((request, response) => {
  if (request.method === 'POST') void run()
  response.end()
}).listen(Number(process.env.PORT), '127.0.0.1')
