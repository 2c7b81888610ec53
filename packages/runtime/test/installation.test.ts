import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flowSpec } from '@tieline/contracts/flows'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigurationError } from '../src/configuration-error.ts'
import { effectiveFlow, loadInstallation, parseInstallation } from '../src/installation.ts'

const yaml = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const minimal = yaml('minimal-installation.yaml')
const full = yaml('full-installation.yaml')
const example = yaml('../../../config/tieline.example.yaml')

const secrets = {
  DERMS_INBOUND_PASSWORD: 'marked-1',
  DACS_INBOUND_PASSWORD: 'marked-2',
  DACS_PASSWORD: 'marked-3',
  SFTP_PASSWORD: 'marked-4',
  DSS_PASSWORD: 'marked-5',
  DERMS_CLIENT_SECRET: 'marked-6',
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-installation-'))
  await writeFile(join(folder, 'derms-secret'), 'from-the-file\n')
})
afterAll(() => rm(folder, { recursive: true }))

/** What a refused file is told, without the headline. */
function faultsOf(yamlText: string, env: NodeJS.ProcessEnv = secrets): string[] {
  try {
    parseInstallation(yamlText, env, folder)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults.map(({ path, rule }) => `${path}: ${rule}`)
    throw error
  }
  return []
}

describe('an installation file', () => {
  it('may be as small as clients and two connections, and then has the documented defaults', () => {
    const installation = parseInstallation(minimal, {}, '/etc/tieline')
    expect(installation).toMatchObject({
      installation: { name: 'tieline', environment: 'test' },
      ingress: { maxFileBytes: 1_073_741_824, maxJsonBytes: 10_485_760, maxRecords: 5_000, behindProxy: false },
      connections: {
        DACS_MAIN: { timeoutMs: 30_000, concurrency: 16, acceptDegradedHealth: false, proxy: '', paths: {} },
        DERMS_SITE1: { timeoutMs: 30_000, concurrency: 16, auth: 'none' },
      },
      deviceScore: [],
      lookups: {},
      payloads: { kind: 'fs', path: 'data/payloads' },
      retention: { messagesDays: 32, payloadHours: 24, replayHours: 24, auditDays: 365 },
      flows: { 'enrollment-request': { recordConcurrency: 1 } },
      compat: {
        eventKey: 'stage',
        reading: 'tolerant',
        unpublishedRules: 'warn',
        timezone: 'UTC',
        lengths: {},
        codes: {},
        msgAckWrapper: true,
        msgAckResponses: 'responses.response',
        msgAckNames: { id: 'id', value: 'value', responseCode: 'responseCode' },
        acceptedReply: 'empty',
        roots: {},
        fieldAliases: {},
      },
      console: { users: [], behindProxy: false },
    })
    expect(installation.mail).toBeUndefined()
    expect(installation.bills).toBeUndefined()
    expect(installation.ingress.tls).toBeUndefined()
  })

  it('may hold every documented key', async () => {
    const installation = parseInstallation(full, secrets, folder)
    expect(installation.connections.DERMS_SITE1).toMatchObject({ auth: { oauth2: { clientSecret: 'from-the-file' } } })
    expect(installation.ingress.clients[0]?.credentials[0]).toEqual({
      basic: { username: 'derms', password: 'marked-1' },
    })
    expect(installation.mail?.digestMinutes).toBe(15)
    expect(installation.bills?.source).toEqual({ kind: 'directory', path: join(folder, '../data/bills') })
  })

  it('has file names that begin at its own folder', async () => {
    await writeFile(join(folder, 'tieline.yaml'), full)
    const installation = await loadInstallation(join(folder, 'tieline.yaml'), secrets)
    expect(installation.lookups.directory).toBe(join(folder, 'lookups'))
    expect(installation.ingress.tls?.keyFile).toBe(join(folder, 'certs/tls.key'))
    expect(installation.connections.DACS_BUCKET).toMatchObject({ privateKeyFile: '/run/secrets/oci.pem' })
  })

  it('keeps payloads below DATA_DIR unless it says otherwise', () => {
    expect(parseInstallation(minimal, { DATA_DIR: '/var/tieline' }, folder).payloads).toEqual({
      kind: 'fs',
      path: '/var/tieline/payloads',
    })
  })

  it('that does not exist is refused with the way to name another', async () => {
    await expect(loadInstallation(join(folder, 'none.yaml'), {})).rejects.toThrow(
      /none\.yaml: cannot be read \(ENOENT\); TIELINE_CONFIG/,
    )
  })

  it('that the repository offers as an example is accepted', async () => {
    const installation = parseInstallation(example, secrets, folder)
    expect(Object.keys(installation.connections)).toEqual(['DACS_MAIN', 'DERMS_SITE1'])
  })
})

describe('the refusal of an installation file', () => {
  it('names every fault at once, whatever its sort', () => {
    const faulty = `
installation: { name: "no spaces" }
ingres: {}
ingress:
  maxJsonBytes: 104857601
  behindProxy: "yes"
  clients:
    - { name: derms, flows: [stage-stats], instances: [], credentials: [{ basic: { username: "a:b" } }] }
    - { name: derms, flows: [], credentials: [{ jwt: { issuer: i } }, { basic: {}, jwt: {} }] }
connections:
  "a b": { kind: dacs, baseUrl: "https://u:p@dacs.example", auth: { bsic: {} }, tls: { certFile: x, keyfile: y }, paths: { enrol: x } }
  DERMS: { kind: derms, baseUrl: "ftp://derms.example", auth: { oauth2: { tokenUrl: x, clientId: y, secret: z } } }
  FILES: { kind: sftp, host: h, port: x, username: u, hostKey: md5 }
  OTHER: { kind: soap }
deviceScore: [{ name: n, source: NONE, target: FILES, schedule: daily, timezone: Mars/Base }]
mail: { url: "http://mail.example" }
retention: { messagesDays: 1, replayHours: 25 }
flows:
  enrollment-request: { recordConcurrency: 0 }
  stage-status: { replyWithinS: 241, recordConcurrency: 2 }
  enrollment-sync-ack: { replyWithinS: 5 }
  event-outcome: { segmentRows: 2001 }
console: { publicUrl: tieline.example, users: [{ name: o, passwordHash: plain, role: root }] }
bills: { source: { kind: sftp, connection: DERMS }, namePattern: bill.pdf }
`
    const paths = faultsOf(faulty).map((fault) => fault.slice(0, fault.indexOf(': ')))
    expect(paths.toSorted()).toEqual(
      [
        'installation.name',
        'ingres',
        'ingress.maxJsonBytes',
        'ingress.behindProxy',
        'ingress.clients[0].flows[0]',
        'ingress.clients[0].instances',
        'ingress.clients[0].credentials[0].basic.username',
        'ingress.clients[0].credentials[0].basic.password',
        'ingress.clients[1].name',
        'ingress.clients[1].flows',
        'ingress.clients[1].credentials[0].jwt',
        'ingress.clients[1].credentials[0].jwt.audience',
        'ingress.clients[1].credentials[1]',
        'connections.?',
        'connections.?.baseUrl',
        'connections.?.auth',
        'connections.?.tls',
        'connections.?.tls.keyfile',
        'connections.?.paths.enrol',
        'connections.DERMS.baseUrl',
        'connections.DERMS.auth.oauth2.tokenUrl',
        'connections.DERMS.auth.oauth2',
        'connections.DERMS.auth.oauth2.secret',
        'connections.FILES',
        'connections.FILES.hostKey',
        'connections.FILES.port',
        'connections.OTHER.kind',
        'deviceScore[0].source',
        'deviceScore[0].target',
        'deviceScore[0].schedule',
        'deviceScore[0].timezone',
        'mail.url',
        'retention.replayHours',
        'flows.enrollment-request.recordConcurrency',
        'flows.stage-status.replyWithinS',
        'flows.stage-status.recordConcurrency',
        'flows.enrollment-sync-ack.replyWithinS',
        'flows.event-outcome.segmentRows',
        'console.publicUrl',
        'console.users[0].passwordHash',
        'console.users[0].role',
        'bills.source.connection',
        'bills.namePattern',
      ].toSorted(),
    )
  })

  it('reports a rule of `compat` that does not exist, by its path', () => {
    const compat = `
  lengths: { town: 90, city: 0 }
  codes: { installationMethods: [X1RE], assetOwnership: [] }
  timezone: Mars/Olympus
  msgAckNames: { id: value }
  roots: { enrollment: Root }`
    const faults = faultsOf(`${minimal}compat:${compat}\n`)
    for (const fault of [
      'compat.lengths.town: is not a known key',
      'compat.codes.installationMethods: is not a known key',
      'compat.timezone: must be a time zone of the IANA database',
      'compat.msgAckNames: must be different names',
    ])
      expect(faults).toContain(fault)
    for (const path of ['compat.lengths.city', 'compat.codes.assetOwnership', 'compat.roots'])
      expect(
        faults.some((fault) => fault.startsWith(path)),
        path,
      ).toBe(true)
  })

  it('reports the parts of a connection: its auth, certificates, paths and unknown keys', () => {
    const faulty = minimal.replace(
      'auth: none',
      'auth: { bsic: {} }, tls: { certFile: x }, paths: { enrol: x, enroll: "ftp://x" }, acceptDegradedHealth: true',
    )
    expect(faultsOf(faulty)).toEqual([
      'connections.DERMS_SITE1.paths.enroll: must be a path or an http or https address, without blanks',
      'connections.DERMS_SITE1.paths.enrol: is not a known key',
      'connections.DERMS_SITE1.auth: must be none, { basic: … } or { oauth2: … }',
      'connections.DERMS_SITE1.tls: needs certFile and keyFile together',
      'connections.DERMS_SITE1.acceptDegradedHealth: is not a known key',
    ])
  })

  it.each([
    ['a user without a key', 'tenancy: ocid1.tenancy.t', 'needs tenancy, user, fingerprint, privateKeyFile'],
    ['an instance with a key', 'principal: instance, privateKeyFile: k', 'must not have tenancy, user, fingerprint'],
    ['another principal', 'principal: service', 'principal'],
  ])('covers a bucket of %s', (_, login, fault) => {
    const bucket = `  X: { kind: oci-object-storage, endpoint: "https://h", ${login} }\n`
    expect(faultsOf(minimal + bucket)).toEqual([expect.stringContaining(fault)])
    expect(
      faultsOf(`${minimal}  X: { kind: oci-object-storage, endpoint: "https://h", principal: resource }\n`),
    ).toEqual([])
  })

  it.each([
    ['neither secret nor key', '', ['needs clientSecret or privateKeyFile']],
    ['both', 'clientSecret: s, privateKeyFile: k', ['needs clientSecret or privateKeyFile, not both']],
    ['a user without a password', 'clientSecret: s, username: u', ['needs username and password together']],
    ['a wrong place', 'clientSecret: s, clientSecretIn: query', ['.clientSecretIn']],
    ['a parameter with a key of its own', 'clientSecret: s, parameters: { scope: x }', ['.parameters: must not set']],
  ])('covers OAuth 2 with %s', (_, login, faults) => {
    const oauth2 = `auth: { oauth2: { tokenUrl: "https://h/token", clientId: c${login && `, ${login}`} } }`
    const found = faultsOf(minimal.replace('auth: none', oauth2))
    expect(found).toEqual(faults.map((fault) => expect.stringContaining(fault)))
    for (const fault of found) expect(fault).toContain('connections.DERMS_SITE1.auth.oauth2')
  })

  it.each([
    [
      'an sftp connection with both secrets',
      'password: p, privateKeyFile: k',
      'connections.X: needs exactly one of password and privateKeyFile',
    ],
    ['an sftp connection with neither', '', 'connections.X: needs exactly one of password and privateKeyFile'],
    [
      'an sftp connection with a passphrase for nothing',
      'password: p, passphrase: p',
      'connections.X: needs privateKeyFile for its passphrase',
    ],
  ])('covers %s', (_, login, fault) => {
    const hostKey = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'
    const sftp = `  X: { kind: sftp, host: h, username: u, hostKey: "${hostKey}"${login && `, ${login}`} }\n`
    expect(faultsOf(minimal + sftp)).toEqual([fault])
  })

  it.each([
    [
      'a schedule that never comes',
      'schedule: "99 5 * * *"',
      'schedule: must be a cron expression of five or six fields',
    ],
    [
      'a schedule of seven fields',
      'schedule: "* * * * * * *"',
      'schedule: must be a cron expression of five or six fields',
    ],
    ['words', 'schedule: "every day at five"', 'schedule: must be a cron expression of five or six fields'],
  ])('refuses %s', (_, schedule, fault) => {
    const transfer = (text: string) => `${minimal}  X: { kind: directory, path: . }
deviceScore: [{ name: n, source: X, target: DERMS_SITE1, timezone: UTC, ${text} }]
`
    expect(faultsOf(transfer(schedule))).toEqual([`deviceScore[0].${fault}`])
    expect(faultsOf(transfer('schedule: "0 5 * * MON-FRI"'))).toEqual([])
    expect(faultsOf(transfer('schedule: "*/30 0 5 * * *"'))).toEqual([])
  })

  it('refuses two transfers of one source, because each would send every file', () => {
    const transfer = (name: string) =>
      `{ name: ${name}, source: X, target: DERMS_SITE1, timezone: UTC, schedule: 0 5 * * * }`
    const both = `${minimal}  X: { kind: directory, path: . }\ndeviceScore: [${transfer('a')}, ${transfer('b')}]\n`
    expect(faultsOf(both)).toEqual(['deviceScore[1].source: is the source of an earlier transfer'])
  })

  it('refuses one user name for two clients, but lets one client have two passwords during a rotation', () => {
    const credentials = (username: string) => `[{ basic: { username: ${username}, password: x } }]`
    const second = (username: string) =>
      minimal.replace(
        'connections:',
        `    - { name: other, flows: [stage-status], credentials: ${credentials(username)} }\nconnections:`,
      )
    expect(faultsOf(second('derms'))).toEqual([
      'ingress.clients[1].credentials[0].basic.username: is the user name of another client',
    ])
    expect(faultsOf(second('other'))).toEqual([])
    const both = '[{ basic: { username: derms, password: in } }, { basic: { username: derms, password: next } }]'
    expect(faultsOf(minimal.replace('[{ basic: { username: derms, password: in } }]', both))).toEqual([])
  })

  it('never holds a value, be it from the file, the environment or a file of secrets', async () => {
    const text = full
      .replaceAll('https://', 'marked://')
      .replace('kind: sftp', 'kind: marked-kind')
      .replace('role: operator', 'role: marked-role')
      .replace('[SITE1]', 'marked-instance')
      .replace('{ username: dss,', '{ username: dss, "marked key: value": 1,')
      .replace('digestMinutes: 15', 'digestMinutes: marked-number')
      .replace('eventKey: stage', 'eventKey: marked-enum')
    const faults = faultsOf(text)
    expect(faults.length).toBeGreaterThan(8)
    expect(faults.join('\n')).not.toMatch(/marked|from-the-file/)
  })

  it('tells the place of a syntax error without quoting the text', () => {
    expect(faultsOf('ingress:\n  secret: "marked\n').join()).toBe('line 3, column 1: missing char')
    expect(faultsOf('a: marked\na: marked').join()).toBe('line 2, column 1: duplicate key')
    expect(faultsOf('a: *marked').join()).toBe('(document): has a bad alias')
    expect(faultsOf('a: !secret marked').join()).toBe('line 1, column 4: tag resolve failed')
  })

  it('asks for the sections that an empty file lacks', () => {
    expect(faultsOf('')).toEqual(['(document): Invalid input: expected object, received null'])
    expect(faultsOf('{}')).toEqual(['ingress: is required', 'connections: is required'])
  })
})

describe('the numbers of a flow', () => {
  it('are those of the catalogue unless the installation sets them', () => {
    const usual = parseInstallation(minimal, {}, folder)
    expect(effectiveFlow('stage-status', usual)).toEqual(flowSpec('stage-status'))
    expect(effectiveFlow('enrollment-request', usual)).toEqual(flowSpec('enrollment-request'))

    const set = parseInstallation(`${minimal}flows: { stage-status: { retryForS: 60, replyWithinS: 240 } }`, {}, folder)
    const spec = flowSpec('stage-status')
    expect(effectiveFlow('stage-status', set)).toEqual({
      ...spec,
      replyWithinS: 240,
      retry: { ...spec.retry, retryForS: 60 },
    })
  })

  it('reaches a connection with `via` through the gateway, and tells what is missing for it', () => {
    const agents = `agents: [{ name: site1, tokenHash: "sha256:${'0'.repeat(64)}" }]\n`
    const gateway = 'gateway: { key: "sixteen letters@", workersUrl: "http://gateway:8061" }\n'
    const via = minimal.replace('kind: derms,', 'kind: derms, via: site1,')
    expect(via).not.toBe(minimal)
    expect(parseInstallation(`${via}\n${agents}${gateway}`, {}, folder).connections.DERMS_SITE1).toMatchObject({
      proxy: 'http://site1:sixteen%20letters%40@gateway:8061',
    })
    expect(faultsOf(via)).toEqual([
      'connections.DERMS_SITE1.via: must name one of agents',
      'connections.DERMS_SITE1.via: needs the section gateway',
    ])
    expect(
      faultsOf(`${via.replace('via: site1', 'via: site1, proxy: "http://p:1"')}\n${agents}${gateway}`),
    ).not.toEqual([])
  })
})
