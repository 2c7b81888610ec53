import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lookupNames } from '../src/lookup-name.ts'
import { lookups } from '../src/lookups.ts'
import { createInstallation } from './harness.ts'
import { property, routingRow } from './rows.ts'

const byOps = { who: 'ops', why: 'new season' }

describe('the first start', () => {
  it('happens once when several services start at the same time', async () => {
    await using here = createInstallation()
    const stores = await Promise.all(Array.from({ length: 8 }, () => here.open()))
    for (const store of stores) expect(store.snapshot().version).toBe(1)
    for (const lookup of lookupNames) expect(await stores[0]?.history(lookup)).toHaveLength(1)
  })

  it('takes the files of the directory, and the defaults for the rest', async () => {
    await using here = createInstallation()
    const directory = await directoryWith({
      'OUTL-BRT-DACS_DRMS_Routing.csv':
        'DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection\nSITE1,DERMS_A,CA,DACS_A\n',
      'configprops.CSV': 'PropertyName,Value\nenrollmentSyncAckDelay,9\n',
      'README.md': 'not a lookup',
    })
    const store = await here.open({ directory, connections: new Set(['DERMS_A', 'DACS_A']) })
    expect(store.rows('Routing')).toEqual([routingRow('SITE1', 'DERMS_A', 'CA', 'DACS_A')])
    expect(store.current('Routing')).toMatchObject({
      version: 1,
      who: 'tieline',
      why: 'First start: OUTL-BRT-DACS_DRMS_Routing.csv',
    })
    expect(store.snapshot().configProps).toMatchObject({
      enrollmentSyncAckDelay: 9,
      'dacs.enrollmentSource.default': 'X1BY',
    })
    expect(store.rows('StageStatus')).toEqual(lookups.StageStatus.defaults)
  })

  it('is the only one that reads the directory: what operators changed stays', async () => {
    await using here = createInstallation()
    const directory = await directoryWith({ 'Email_ID.csv': 'PropertyName,Value\nTo,first@one.example\n' })
    const store = await here.open({ directory })
    await store.put('Email_ID', [property('To', 'second@one.example')], byOps)
    await writeFile(join(directory, 'Email_ID.csv'), 'broken')
    const later = await here.open({ directory })
    expect(later.snapshot().mail.to).toEqual(['second@one.example'])
  })

  it('fails with every fault of every file, and leaves Redis as it was', async () => {
    await using here = createInstallation()
    const directory = await directoryWith({
      'OUTL-BRT-DACS_DRMS_Rooting.csv': '',
      'Routing.csv': 'DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection\nSITE1,DERMS_X,CA,DACS_A\n',
      'OUTL-BRT-DACS_DRMS_ConfigProps.csv': 'PropertyName,Value\nenrollmentSyncAckDelay,soon\n',
      'EventType.csv': 'DRMS_EventType,DACS_EventType\nX1EC\n',
      'event type.csv': 'DRMS_EventType,DACS_EventType\n',
    })
    const message = await here.open({ directory, connections: new Set(['DACS_A']) }).then(
      () => 'started',
      (error: Error) => error.message,
    )
    expect(message).toContain('OUTL-BRT-DACS_DRMS_Rooting.csv: no lookup has this name')
    expect(message).toContain('Routing.csv: Routing refused: row 1, column DRMS_Site_Connection: no such connection')
    expect(message).toContain('ConfigProps refused: row 1, column Value: enrollmentSyncAckDelay must be a whole number')
    expect(message).toContain('row 1: has 1 cells under a header of 2')
    expect(message).toContain('event type.csv: EventType.csv is the same lookup')
    expect(await keysMatching(here.connect(), `*${here.installation}*`)).toEqual([])
  })

  it('fails when the directory is not there', async () => {
    await using here = createInstallation()
    await expect(here.open({ directory: join(tmpdir(), here.installation) })).rejects.toThrow('ENOENT')
  })

  it('fills a lookup that came later, and leaves the others alone', async () => {
    await using here = createInstallation()
    const store = await here.open()
    await store.put('Email_ID', [property('To', 'a@one.example')], byOps)
    const redis = here.connect()
    await redis.hdel(`{${here.installation}}:lookups:current`, 'EventOutcome')
    const later = await here.open()
    expect(later.snapshot().version).toBe(3)
    expect(later.rows('EventOutcome')).toEqual(lookups.EventOutcome.defaults)
    expect(later.snapshot().mail.to).toEqual(['a@one.example'])
  })
})

async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-lookups-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}
