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

it('a row is deleted by its key; where several rows have it, all values say which', async () => {
  await site.run('lookups', 'set', 'AssetType', 'WATER_HEATER', 'WATER HEATER', ...because)
  expect(await site.run('lookups', 'delete', 'AssetType', 'water_heater')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--reason/),
  })
  const deleted = await site.run('lookups', 'delete', 'AssetType', 'water_heater', ...because)
  expect(deleted).toMatchObject({ code: 0, out: expect.stringMatching(/^AssetType: row deleted, version \d+\.\n$/) })
  expect(await site.run('lookups', 'delete', 'AssetType', 'water_heater', ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/AssetType has no row for water_heater/),
  })
  expect((await site.run('lookups', 'history', 'AssetType')).out.split('\n')[1]).toMatch(/ann +1 +DERMS sends it/)

  const routing = join(site.directory, 'Routing.csv')
  const head = 'DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection\n'
  await writeFile(routing, `${head}SITE1,DERMS_SITE1,NORTH,DACS_MAIN\nSITE1,DERMS_SITE1,EAST,DACS_MAIN\n`)
  await site.run('lookups', 'import', routing, ...because)
  expect(await site.run('lookups', 'delete', 'Routing', 'SITE1', ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/Routing has 2 rows for SITE1[\s\S]*NORTH[\s\S]*EAST/),
  })
  for (const cells of [[''], ['SITE1', 'DERMS_SITE1']])
    expect(await site.run('lookups', 'delete', 'Routing', ...cells, ...because)).toMatchObject({ code: 2 })
  expect(
    await site.run('lookups', 'delete', 'Routing', 'SITE1', 'DERMS_SITE1', 'EAST', 'DACS_MAIN', ...because),
  ).toMatchObject({ code: 0 })
  expect(await site.run('lookups', 'delete', 'Routing', 'north', ...because)).toMatchObject({ code: 0 })
  expect((await site.run('lookups', 'get', 'Routing')).out).toMatch(/\n0 rows, version/)

  await site.run('lookups', 'set', 'ConfigProps', 'enrollmentSyncAckDelay', '9', ...because)
  const property = await site.run('lookups', 'delete', 'ConfigProps', 'enrollmentSyncAckDelay', ...because)
  expect(property.out).toMatch(/row deleted[\s\S]*Its default holds from now on: 5\n$/)
})

it('what a lookup was is shown, compared and restored', async () => {
  const version = async () =>
    /version (\d+)/.exec((await site.run('lookups', 'get', 'DeviceLocationStatus')).out)?.[1] ?? ''
  const first = await version()
  expect(await site.run('lookups', 'diff', 'DeviceLocationStatus')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/has only version/),
  })
  await site.run('lookups', 'set', 'DeviceLocationStatus', 'D1NO', 'Off', ...because)
  const second = await version()
  await site.run('lookups', 'set', 'DeviceLocationStatus', 'D1RM', 'Removed', '--reason', 'third', '--who', 'bob')
  const third = await version()

  const now = await site.run('lookups', 'show', 'DeviceLocationStatus')
  expect(now.out).toMatch(
    new RegExp(`version +${third}\n[\\s\\S]*who +bob\nwhy +third\nrows +3\n[\\s\\S]*D1RM +Removed\n$`),
  )
  // Another lookup was changed at the version in between, if any: this one is at its own newest until then.
  for (const wanted of [second, String(Number(third) - 1)]) {
    const shown = await site.run('lookups', 'show', 'DeviceLocationStatus', '--version', wanted)
    expect(shown.out).toMatch(new RegExp(`version +${second}\n[\\s\\S]*who +ann\n[\\s\\S]*D1NO +Off\n$`))
  }
  for (const [wanted, code] of [
    ['0', 1],
    ['9999', 1],
    ['x', 2],
  ] as const)
    expect(await site.run('lookups', 'show', 'DeviceLocationStatus', '--version', wanted)).toMatchObject({ code })

  expect((await site.run('lookups', 'diff', 'DeviceLocationStatus')).out).toBe(
    `DeviceLocationStatus, from version ${second} to ${third}:
   DACS_DEVICE_LOC_STATUS  DRMS_DEVICE_STATUS
+  D1RM                    Removed
`,
  )
  expect((await site.run('lookups', 'diff', 'DeviceLocationStatus', first, second)).out).toBe(
    `DeviceLocationStatus, from version ${first} to ${second}:
   DACS_DEVICE_LOC_STATUS  DRMS_DEVICE_STATUS
-  D1NO                    Inactive
+  D1NO                    Off
`,
  )
  expect((await site.run('lookups', 'diff', 'DeviceLocationStatus', third)).out).toMatch(/no difference/)

  expect(await site.run('lookups', 'restore', 'DeviceLocationStatus', first)).toMatchObject({ code: 2 })
  const restored = await site.run('lookups', 'restore', 'DeviceLocationStatus', first, ...because)
  expect(restored.out).toMatch(
    /the 2 rows of version \d+ are restored, as version \d+\.\n[\s\S]*\+ +D1NO +Inactive[\s\S]*- +D1RM/,
  )
  const history = (await site.run('lookups', 'history', 'DeviceLocationStatus')).out.split('\n')[1]
  expect(history).toMatch(new RegExp(`ann +2 +DERMS sends it since Monday \\(restores version ${first}\\)$`))
  expect(await site.run('lookups', 'restore', 'DeviceLocationStatus', first, ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/has these rows already/),
  })
})

it('a code that is not published is taken with a warning', async () => {
  const shown = await site.run('lookups', 'history', 'EventType')
  const before = shown.out.split('\n').at(-2)?.split(' ')[0] ?? ''
  expect(await site.run('lookups', 'set', 'EventType', 'TRIAL', 'CMTR', ...because)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/row added[\s\S]*Warning: EventType gives "CMTR" for "TRIAL", which is none of X1DT/),
  })
  expect(await site.run('lookups', 'restore', 'EventType', before, ...because)).toMatchObject({ code: 0 })
})

it('an export of Oracle Integration says by its first line which lookup it is', async () => {
  const file = join(site.directory, 'download.csv')
  await writeFile(file, 'OUTL-BRT-DACS_DRMS_AssetType,\nDRMS_ASSET_TYPE,DACS_ASSET_TYPE\nPUMP,HEAT PUMP\n')
  expect((await site.run('lookups', 'import', file, ...because)).out).toMatch(/^AssetType: 1 rows replaced by 1/)
  expect(await site.run('lookups', 'import', file, '--name', 'EventType', ...because)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/says that it is AssetType/),
  })
})
