import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { listMessages, showMessage } from '@tieline/journal/operations'
import { eventually } from '@tieline/testkit/eventually'
import { openForLooking } from '@tieline/tools/chaos/look'
import { createProcess } from '@tieline/tools/chaos/processes'
import { createRandom } from '@tieline/tools/chaos/random'
import { expect, inject, it } from 'vitest'
import { startProcesses } from './processes.ts'

const rows = 20_000
const kills = 10
const stage = '1315'

const file = `stageId,nicId,headEndSystemId,outcome\n${Array.from({ length: rows }, (_, i) => `${stage},NIC-${i + 1},NEST,SUCCESS\n`).join('')}`

it('a worker killed ten times in the middle of a file: acknowledgments agree, every row is at DACS, and one came twice only where the journal knew of it', async () => {
  const seed = Date.now() % 1_000_000
  const random = createRandom(seed)
  await using world = await startProcesses({ redisUrl: inject('redisUrl'), connection: { concurrency: 4 } })
  await using ingress = await world.run('ingress')
  await ingress.ready()
  const logFile = join(tmpdir(), `tieline-file-kills-${process.pid}.log`)
  await using worker = createProcess('events', { ...world.env, METRICS_PORT: '0' }, logFile)
  await using looking = await openForLooking(world.env)

  worker.start()
  await world.derms.send('stage-status', examples['stage-status'])
  world.dacs.latency({ ms: 40, operation: 'postEventOutcome' })
  const row = await world.derms.sendFile('event-outcome', examples['event-outcome'], { name: 'o.csv', content: file })
  for (let kill = 0; kill < kills; kill++) {
    // Some more segments than before the last kill, and not the last ones.
    const enough = world.dacs.count('postEventOutcome') + random.whole(1, 8)
    await eventually(() => world.dacs.count('postEventOutcome') >= enough, 60_000)
    await worker.kill()
    worker.start()
  }
  await eventually(() => row.done, 120_000)

  const calls = world.dacs.received.filter(({ operation }) => operation === 'postEventOutcome')
  expect(calls.length, `seed ${seed}`).toBeGreaterThan(rows / 200)
  expect(
    row.acks.map(({ ackType }) => ackType),
    `seed ${seed}, ${logFile}`,
  ).toEqual(['SUCCESS'])
  expect(row.acks[0]?.responses.response[0]?.value).toBe(`${rows} records`)
  expect(world.dacs.participations.size).toBe(rows)

  const details = await showMessage(looking.journal, `event-outcome.SITE1.${examples['event-outcome'].messageId}`)
  expect(details).toMatchObject({ state: 'succeeded', generation: 1, rows: { read: rows, confirmed: rows } })
  const bySegment = Map.groupBy(calls, ({ body }) => firstRow(body))
  for (const [first, made] of bySegment) {
    const effect = details?.effects.find(({ id }) => id === `rows.${first}-${first + 199}`)
    expect(made.length - 1, `seed ${seed}: calls of the segment of row ${first}`).toBeLessThanOrEqual(
      effect?.repeats ?? 0,
    )
  }
  expect(bySegment.size).toBe(rows / 200)
  expect(await listMessages(looking.journal, { state: 'dead' })).toEqual([])
  // It is of use to nobody when all is well.
  await rm(logFile)
}, 240_000)

function firstRow(body: unknown): number {
  const { postOutcomeList } = body as { postOutcomeList: { nicId: string }[] }
  return Number(postOutcomeList[0]?.nicId.slice('NIC-'.length))
}
