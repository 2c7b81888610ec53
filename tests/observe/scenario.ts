import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startConsole } from '@tieline/console/service'
import { examples } from '@tieline/contracts/examples'
import { createLogger } from '@tieline/runtime/logger'
import { hashPassword } from '@tieline/runtime/password-hash'
import { startMailbox } from '@tieline/simulators/mailbox'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { inject } from 'vitest'
import { createAuthority } from '../../packages/targets/test/certificates.ts'
import { reservation, reservationCsv, sendFile } from '../flows/files.ts'
import { places } from '../flows/score-places.ts'
import { deviceScore, runTransfer } from '../flows/scores.ts'
import { scrape } from './exposition.ts'
import type { Looks } from './replay.ts'

/** Lets something happen that every metric counts, and hands out what each process says before and then. */
export async function observe(): Promise<Looks> {
  const lines: string[] = []
  const logger = createLogger({
    service: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  })
  await using place = await places.directory()
  await using tls = await writeCertificate()
  await using mailbox = await startMailbox()
  await using pipeline = await startPipeline({
    redisUrl: inject('redisUrl'),
    logger,
    connections: { DACS_FILES: place.connection },
    sections: {
      deviceScore,
      mail: { url: mailbox.url, digestMinutes: 15 },
      console: { users: [{ name: 'ops', passwordHash: await hashPassword('ops'), role: 'viewer' }], tls: tls.files },
      flows: { 'enrollment-request': { retryForS: 0 }, 'stage-status': { retryForS: 1 } },
    },
  })
  await using _console = await startConsole(pipeline.settings, { logger })
  await place.put('DeviceScore_1.csv', 'a,b\n1')
  const before = await scrape(lines)
  await sendEverything({ ...pipeline, mailbox })
  await eventually(async () => {
    const open = await pipeline.journal.redis.zcard(`${pipeline.journal.base}:open`)
    return open === 1
  })
  return { before, after: await scrape(lines) }
}

async function sendEverything(pipeline: Pipeline): Promise<void> {
  const { dacs, mailbox, post } = pipeline
  const scheduled = examples['stage-status']

  // Nobody knows whether the first call was applied; the second is.
  dacs.failNext({ operation: 'createProgramEvent', status: 500 })
  await post('stage-status', scheduled)
  await post('stage-status', scheduled)
  await post('stage-status', scheduled, { headers: { authorization: 'Basic bm9ib2R5' } })
  // A known client sends something that is no JSON.
  await post('stage-status', '{')

  // A dead letter, and a mail that the server does not take.
  mailbox.failNext({ code: 550 })
  dacs.failNext({ operation: 'createProgramEvent', status: 500, times: 2 })
  await post('stage-status', { ...scheduled, messageId: 'STG-2', stageId: '2' })

  // Two failures of one kind: the mail about the second joins.
  dacs.failNext({ operation: 'enrollProgram', status: 503, times: 2 })
  for (const id of ['DR-1', 'DR-2']) await post('enrollment-request', withMessageId(id))

  await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
  await runTransfer(pipeline)

  // This one is still being tried when somebody looks.
  dacs.failNext({ operation: 'updateSyncRequest', status: 503, times: 9 })
  await post('enrollment-sync-ack', examples['enrollment-sync-ack'])
  await pipeline.until(await keyOf(pipeline, 'enrollment-sync-ack'), 'retrying')
}

/** One that is good for long enough that nobody is told of it. */
async function writeCertificate() {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-observe-tls-'))
  const { cert, key } = createAuthority('Private CA').issue('console', undefined, Date.now() + 300 * 86_400_000)
  const files = { certFile: join(folder, 'console.pem'), keyFile: join(folder, 'console.key') }
  await Promise.all([writeFile(files.certFile, cert), writeFile(files.keyFile, key)])
  return { files, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function keyOf({ messages }: Pipeline, flow: string): Promise<string> {
  const found = (await messages()).find((key) => key.startsWith(`${flow}.`))
  if (found === undefined) throw new Error(`There is no message of ${flow}`)
  return found
}

/**
 * The enrollment of the example under an id of its own, so that it is another message; with a number for a text, and a text of a
 * length that nobody has published.
 */
function withMessageId(messageId: string): unknown {
  const { drmsInstanceId, params } = examples['enrollment-request']
  const locationInfo = { division: 'CALIFORNIA' }
  return { drmsInstanceId, params: [{ ...params[0], messageId, customerInfo: { cisPersonId: 7 }, locationInfo }] }
}
