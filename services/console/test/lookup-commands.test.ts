import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openInstallation } from './harness.ts'

let site: Awaited<ReturnType<typeof openInstallation>>
const because = ['--reason', 'DERMS sends it since Monday', '--who', 'ann'] as const

beforeAll(async () => {
  site = await openInstallation()
})

afterAll(() => site[Symbol.asyncDispose]())

it('a row is added, then replaced, and the history says by whom and why', async () => {
  const added = await site.run('lookups', 'set', 'StageStatus', 'PLANNED', 'X1SD', ...because)
  expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^StageStatus: row added, version \d+\.\n$/) })
  const replaced = await site.run('lookups', 'set', 'OUTL-BRT-DACS_DRMS_StageStatus', 'planned', 'X1IP', ...because)
  expect(replaced.out).toMatch(/row replaced/)
  const got = await site.run('lookups', 'get', 'stagestatus', 'Planned')
  expect(got).toMatchObject({ code: 0, out: 'DRMS_StageStatus  DACS_StageStatus\nplanned           X1IP\n' })
  expect((await site.run('lookups', 'get', 'StageStatus')).out).toMatch(/planned[\s\S]*5 rows, version \d+\.\n$/)
  const history = await site.run('lookups', 'history', 'StageStatus')
  expect(history.out.split('\n')[1]).toMatch(/ann +5 +DERMS sends it since Monday$/)
  expect(history.out).toContain('First start: defaults')
})

it('nothing changes without a reason, with a wrong row, or for a lookup that is none', async () => {
  const before = (await site.run('lookups', 'get', 'Routing')).out
  expect(await site.run('lookups', 'set', 'StageStatus', 'A', 'B')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--reason/),
  })
  expect(await site.run('lookups', 'set', 'Routing', 'SITE1', 'DERMS_SITE1', ...because)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/Routing has the columns DRMS_Instance/),
  })
  const wrong = ['SITE1', 'NOWHERE', 'DIV', 'DACS_MAIN']
  expect(await site.run('lookups', 'set', 'Routing', ...wrong, ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/no such connection/),
  })
  expect(await site.run('lookups', 'get', 'Nonsense')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/There is no such lookup/),
  })
  expect(await site.run('lookups', 'get', 'StageStatus', 'LOST')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/no row for LOST/),
  })
  expect((await site.run('lookups', 'get', 'Routing')).out).toBe(before)
})

it('a row of four columns is found by either of its keys', async () => {
  await site.run('lookups', 'set', 'Routing', 'SITE1', 'DERMS_SITE1', 'NORTH', 'DACS_MAIN', ...because)
  for (const key of ['site1', 'north']) {
    expect((await site.run('lookups', 'get', 'Routing', key)).out).toMatch(/SITE1 +DERMS_SITE1 +NORTH +DACS_MAIN/)
  }
})

it('what is exported can be imported again, as CSV and as Oracle Integration has it', async () => {
  const csv = join(site.directory, 'OUTL-BRT-DACS_DRMS_EventType.csv')
  const oic = join(site.directory, 'export.json')
  expect(await site.run('lookups', 'export', 'EventType', '--out', csv)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/6 rows/),
  })
  expect(await site.run('lookups', 'export', 'EventType', '--oic', '--out', oic)).toMatchObject({ code: 0 })
  const printed = (await site.run('lookups', 'export', 'EventType')).out
  expect(printed).toBe(await readFile(csv, 'utf8'))
  expect(JSON.parse(await readFile(oic, 'utf8'))).toMatchObject({ name: 'OUTL-BRT-DACS_DRMS_EventType' })

  await writeFile(csv, 'DRMS_EventType,DACS_EventType\nONLY,X1EC\n')
  expect(await site.run('lookups', 'import', csv)).toMatchObject({ code: 2, err: expect.stringMatching(/--reason/) })
  expect((await site.run('lookups', 'import', csv, ...because)).out).toMatch(
    /^EventType: 6 rows replaced by 1, version/,
  )
  expect((await site.run('lookups', 'import', oic, ...because)).out).toMatch(
    /^EventType: 1 rows replaced by 6, version/,
  )
  expect((await site.run('lookups', 'export', 'EventType')).out).toBe(printed)
})

it('a file that is not what it should be changes nothing', async () => {
  const file = join(site.directory, 'rows.csv')
  await writeFile(file, 'PropertyName,Value\nFrom,nobody\n')
  expect(await site.run('lookups', 'import', file, ...because)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--name says/),
  })
  const refused = await site.run('lookups', 'import', file, '--name', 'Email_ID', ...because)
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^Email_ID refused/) })
  expect(refused.err).not.toContain('nobody')

  const json = join(site.directory, 'rows.json')
  expect(await site.run('lookups', 'import', json, ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/ENOENT/),
  })
  await writeFile(json, 'no json')
  expect(await site.run('lookups', 'import', json, ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/not JSON/),
  })
  await site.run('lookups', 'export', 'AssetType', '--oic', '--out', json)
  expect(await site.run('lookups', 'import', json, '--name', 'EventType', ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/holds the lookup AssetType/),
  })
})
