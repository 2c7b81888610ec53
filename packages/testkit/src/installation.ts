import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** What a test installation talks to. */
export interface FarSides {
  readonly dacsUrl: string
  readonly dermsUrl: string
  readonly smtpUrl: string
}

export const credentials = {
  derms: { username: 'derms', password: 'derms-inbound' },
  dacs: { username: 'dacs', password: 'dacs-inbound' },
  dacsTarget: { username: 'oic', password: 'dacs-outbound' },
  dermsTarget: { username: 'oic', password: 'derms-outbound' },
} as const

export interface InstallationChanges {
  /** Merged into the top level of the file, section by section. */
  readonly sections?: Readonly<Record<string, unknown>>
  /** Lookup name to CSV text; these stand in for the files of an installation. */
  readonly lookups?: Readonly<Record<string, string>>
  /** Merged into every connection. */
  readonly connection?: Readonly<Record<string, unknown>>
  /** More connections. */
  readonly connections?: Readonly<Record<string, unknown>>
  /** Merged into the connection to DACS. */
  readonly dacs?: Readonly<Record<string, unknown>>
  /** Merged into section `mail`. */
  readonly mail?: Readonly<Record<string, unknown>>
}

const usualLookups: Readonly<Record<string, string>> = {
  Email_ID:
    'PropertyName,Value\nFrom,tieline@utility.example\nTo,"ops@utility.example, oncall@utility.example"\nto.process.notification,business@utility.example\n',
  ConfigProps: 'PropertyName,Value\nenrollmentSyncAckDelay,0\n',
  AssetSpec:
    'DRMS_MAKE_MODEL,DACS_SPECIFICATION\nNEST!N3GEN,EST_G3_SPEC\nNEST!N4GEN,ZZ_CTRL_DVC_THERM_SPEC22\nECOBEE!E3GEN,EcoBee_E3\n',
}

/** The text of an installation file for the simulators, and its lookup files in `directory`. */
export async function writeInstallation(
  name: string,
  directory: string,
  { dacsUrl, dermsUrl, smtpUrl }: FarSides,
  { sections = {}, lookups = {}, connection = {}, connections = {}, dacs = {}, mail = {} }: InstallationChanges = {},
): Promise<string> {
  const lookupDirectory = join(directory, 'lookups')
  await mkdir(lookupDirectory, { recursive: true })
  for (const [lookup, csv] of Object.entries({ ...usualLookups, ...lookups })) {
    await writeFile(join(lookupDirectory, `OUTL-BRT-DACS_DRMS_${lookup}.csv`), csv)
  }
  return stringify({
    installation: { name, environment: 'test' },
    ingress: {
      clients: [
        {
          name: 'derms',
          instances: ['SITE1', 'SITE2'],
          flows: [
            'enrollment-request',
            'enrollment-sync-ack',
            'device-status-ack',
            'event-reservation',
            'stage-status',
            'event-outcome',
          ],
          credentials: [{ basic: credentials.derms }],
        },
        { name: 'dacs', flows: ['enrollment-sync', 'device-status-check'], credentials: [{ basic: credentials.dacs }] },
      ],
    },
    connections: {
      DACS_MAIN: {
        kind: 'dacs',
        baseUrl: `${dacsUrl}/tenant/test/dac/rest/apis`,
        auth: { basic: credentials.dacsTarget },
        timeoutMs: 2_000,
        ...connection,
        ...dacs,
      },
      DERMS_SITE1: {
        kind: 'derms',
        baseUrl: `${dermsUrl}/nms-drms/rest/v1`,
        auth: { basic: credentials.dermsTarget },
        timeoutMs: 2_000,
        ...connection,
      },
      ...connections,
    },
    // Tests look for the mail about each message; that mails are joined is tested where they are written.
    mail: { url: smtpUrl, digestMinutes: 0, ...mail },
    lookups: { directory: lookupDirectory },
    ...sections,
  })
}
