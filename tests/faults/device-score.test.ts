import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listMessages, showMessage } from '@tieline/journal/operations'
import { startRun } from '@tieline/journal/transfers/runs'
import { eventually } from '@tieline/testkit/eventually'
import { openForLooking } from '@tieline/tools/chaos/look'
import { createProcess } from '@tieline/tools/chaos/processes'
import { createRandom } from '@tieline/tools/chaos/random'
import { expect, inject, it } from 'vitest'
import { startProcesses } from './processes.ts'

const files = 20
const kills = 10
const transfer = { name: 'nightly', source: 'SCORES' }

it('a worker killed ten times in the middle of a run: each file reaches DERMS, none again after it was confirmed, each is renamed', async () => {
  const seed = Date.now() % 1_000_000
  const random = createRandom(seed)
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-score-kills-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const names = Array.from({ length: files }, (_, i) => `DeviceScore_${String(i).padStart(2, '0')}.csv`)
  for (const name of names) await writeFile(join(directory, name), name)
  const world = parts.use(
    await startProcesses({
      redisUrl: inject('redisUrl'),
      connections: { SCORES: { kind: 'directory', path: directory } },
      sections: {
        deviceScore: [{ ...transfer, target: 'DERMS_SITE1', schedule: '0 0 29 2 *', timezone: 'UTC' }],
      },
    }),
  )
  const logFile = join(tmpdir(), `tieline-score-kills-${process.pid}.log`)
  const worker = parts.use(createProcess('device-score', { ...world.env, METRICS_PORT: '0' }, logFile))
  const { journal } = parts.use(await openForLooking(world.env))
  world.derms.latency({ ms: 60, operation: 'deviceScore' })

  worker.start()
  const { key } = await startRun(journal, { transfer, who: 'test' })
  for (let kill = 0; kill < kills; kill++) {
    const enough = world.derms.count('deviceScore') + random.whole(1, 2)
    await eventually(() => world.derms.count('deviceScore') >= enough || world.derms.scoreFiles.length >= files, 60_000)
    // Anywhere between the call, its end, the rename and the next file.
    await delay(random.whole(0, 90))
    await worker.kill()
    worker.start()
  }
  const run = await eventually(async () => {
    const details = await showMessage(journal, key)
    return details?.state === 'succeeded' ? details : undefined
  }, 120_000)

  const told = `seed ${seed}, ${logFile}`
  expect(run, told).toMatchObject({ generation: 1, files: { sent: files, failed: 0, left: 0 }, effects: [] })
  expect((await readdir(directory)).sort(), told).toEqual(names.map((name) => `Sent-${name}`))
  const calls = world.derms.scoreFiles.map(({ name }) => name)
  expect([...new Set(calls)].sort(), told).toEqual(names)
  // A file came again only where a kill left open what had become of it.
  expect(calls.length - files, told).toBeLessThanOrEqual(kills)
  const confirmed = run.timeline.filter(({ what, state }) => what === 'called' && state === 'confirmed')
  expect(new Set(confirmed.map(({ effect }) => effect)).size, told).toBe(files)
  expect(confirmed.length, told).toBe(files)
  expect(await listMessages(journal, { state: 'dead' }), told).toEqual([])
  await rm(logFile)
}, 240_000)
