import { startPipeline } from '@tieline/testkit/pipeline'
import { expect, inject, test } from 'vitest'

test('the test of connections finds everything that Tieline calls at the simulated far sides', async () => {
  const files = { kind: 'sftp', host: '127.0.0.1', username: 'tieline', password: 'p' }
  const transfer = { name: 'nightly', source: 'DACS_FILES', target: 'DERMS_SITE1' }
  await using pipeline = await startPipeline({
    services: [],
    redisUrl: inject('redisUrl'),
    connections: { DACS_FILES: { ...files, hostKey: `SHA256:${'A'.repeat(43)}` } },
    sections: { deviceScore: [{ ...transfer, schedule: '0 5 * * *', timezone: 'UTC' }] },
  })
  for (const name of ['DACS_MAIN', 'DERMS_SITE1', 'mail']) {
    expect(await pipeline.tieline('connections', 'test', name), name).toMatchObject({ code: 0, err: '' })
  }
})
