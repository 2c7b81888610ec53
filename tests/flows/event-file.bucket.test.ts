import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startObjectStorage } from '@tieline/simulators/object-storage'
import { expect, test } from 'vitest'
import { acksOf, openPipeline, outcome, sendFile } from './files.ts'

const rows = 60_000

test('a large file waits in the bucket that the installation names, and is gone when it may be', async () => {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bucket-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const privateKeyFile = join(directory, 'oci.pem')
  await writeFile(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const user = {
    tenancy: 'ocid1.tenancy.oc1..t',
    user: 'ocid1.user.oc1..u',
    fingerprint: Array(16).fill('ab').join(':'),
  }
  const storage = parts.use(
    await startObjectStorage({
      buckets: ['payloads'],
      users: [{ ...user, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
    }),
  )
  const bucket = { kind: 'oci-object-storage', endpoint: storage.url, ...user, privateKeyFile }
  await using pipeline = await openPipeline({
    sections: { payloads: { kind: 'oci-object-storage', connection: 'BUCKET', bucket: 'payloads' } },
    connections: { BUCKET: bucket },
  })
  pipeline.dacs.setHealth(500)
  // More than 4 MiB.
  const note = 'x'.repeat(60)
  const file = `stageId,nicId,headEndSystemId,outcome,note\n${Array.from({ length: rows }, (_, i) => `1315,NIC-${i},NEST,SUCCESS,${note}\n`).join('')}`
  const sent = sendFile(pipeline, 'event-outcome', outcome, file)
  await pipeline.until('event-outcome.SITE1.OUT-1315-1', 'retrying')
  const names = [...storage.simulator.bucket('payloads').objects.keys()]
  expect(names).toEqual([expect.stringMatching(/^t-[\w-]+\/s-[\w-]+$/)])
  expect(await readdir(pipeline.settings.environment.dataDir)).not.toContain('payloads')
  pipeline.dacs.setHealth(200)
  expect(acksOf(await sent)).toEqual([`SUCCESS OUT-1315-1: ${rows} records`])
  expect(pipeline.dacs.participations.size).toBe(rows)
})
