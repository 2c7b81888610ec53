import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createAuthority } from '../../../packages/targets/test/certificates.ts'
import { json, startFarSide } from '../../../packages/targets/test/far-side.ts'
import { openInstallation } from './harness.ts'

const dayMs = 86_400_000

it('warns of certificates that end within 30 days, ours and those of targets, which is no fault', async () => {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tieline-warnings-'))
  opened.defer(() => rm(folder, { recursive: true }))
  const authority = createAuthority('Private CA')
  const file = (name: string) => join(folder, name)
  const [soon, late] = [Date.now() + 20.5 * dayMs, Date.now() + 31 * dayMs]
  const ours = authority.issue('ours', undefined, soon)
  await writeFile(file('ca.pem'), authority.cert)
  await writeFile(file('ours.pem'), ours.cert)
  await writeFile(file('ours.key'), ours.key)
  const near = opened.use(await startFarSide(json(200), authority.issue('near', undefined, soon)))
  const far = opened.use(await startFarSide(json(200), authority.issue('far', undefined, late)))
  const tls = { caFile: file('ca.pem') }
  const dacs = (url: string) => ({ kind: 'dacs', baseUrl: url, auth: 'none', tls })
  const site = opened.use(
    await openInstallation({
      connections: { DACS_NEAR: dacs(near.url), DACS_FAR: dacs(far.url) },
      console: { tls: { certFile: file('ours.pem'), keyFile: file('ours.key') } },
      bills: {
        source: { kind: 'directory', path: folder },
        tls: { certFile: file('gone.pem'), keyFile: file('ours.key') },
      },
    }),
  )
  const { code, out, err } = await site.run('connections', 'test')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const warnings = out.split('\n').filter((line) => line.startsWith('warning: '))
  expect(warnings).toEqual([
    expect.stringMatching(
      /^warning: console: the certificate ends in 20 days, on .+ UTC \(of ours, file .+ours\.pem\)\.$/,
    ),
    `warning: bills: the certificate ${file('gone.pem')} cannot be read: ENOENT.`,
    expect.stringMatching(
      new RegExp(`^warning: DACS_NEAR: .* ends in 20 days, .*\\(shown by 127.0.0.1:${near.port}\\)`),
    ),
  ])
  const one = await site.run('connections', 'test', 'DACS_FAR')
  expect(one.out).not.toContain('warning')
})
