import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FailureCode } from '@tieline/contracts/failures'
import type { ConfigProps } from '@tieline/lookups/config-props'
import { CallError, TielineError } from '@tieline/runtime/error'
import type { Installation } from '@tieline/runtime/installation'
import { type BillsSection, openBillFiles } from '@tieline/targets/bill-files'
import { type DacsClient, dacsOperations } from '@tieline/targets/dacs'
import { type DermsClient, dermsOperations } from '@tieline/targets/derms'
import type { Mailer } from '@tieline/targets/mailer'
import { openPayloadStore } from '@tieline/worker-service/open-journal'
import { openScoreSource } from '@tieline/worker-service/open-score-source'
import { z } from 'zod'
import { printable } from './table.ts'

/** What a test of a connection found, as one sentence; it holds nothing that the far side said. */
export interface Finding {
  readonly ok: boolean
  readonly sentence: string
}

/** Asks DACS for its health with the credentials of the connection, and whether anything is where each operation should be. */
export const testDacs = (
  dacs: DacsClient,
  paths: Partial<Readonly<Record<keyof typeof dacsOperations, string>>>,
): Promise<Finding> =>
  findingOf(async () => {
    const { status, durationMs } = await dacs.call('healthCheck', {})
    const health = status === 203 ? 'degraded, which this connection accepts' : 'healthy'
    const missing = await dacs.missing()
    if (missing.length === 0) {
      return {
        ok: true,
        sentence: `${dacs.name}: ${health}, and has each operation (HTTP ${status}, ${durationMs} ms).`,
      }
    }
    const where = missing.map((name) => `${dacsOperations[name].method} ${paths[name] ?? dacsOperations[name].path}`)
    return {
      ok: false,
      sentence: `${dacs.name}: ${health}, but has nothing at ${where.join(' and ')} (HTTP 404); check baseUrl and paths.`,
    }
  })

interface DermsUse {
  /** Of the connection. */
  readonly paths: Partial<Record<string, string>>
  /** Whether a transfer of score files ends there. */
  readonly takesScores: boolean
}

/** Asks DERMS for its catalogue, and whether its API description has the operations that Tieline calls. */
export const testDerms = (derms: DermsClient, { paths, takesScores }: DermsUse): Promise<Finding> =>
  findingOf(async () => {
    const { durationMs } = await derms.call('catalog', {})
    const { body } = await derms.call('openapi', {})
    const described = openApi.safeParse(body).data?.paths
    if (described === undefined) return { ok: false, sentence: `${derms.name}: openapi.json is no API description.` }
    const used = takesScores ? ([...usedOperations, 'deviceScore'] as const) : usedOperations
    const missing = used
      .map((operation) => paths[operation] ?? dermsOperations[operation].path)
      .filter((path) => !Object.entries(described).some(([at, item]) => 'post' in item && isSamePath(path, at)))
    if (missing.length === 0) {
      return { ok: true, sentence: `${derms.name}: answers and describes what Tieline calls (${durationMs} ms).` }
    }
    const lacking = missing.map((path) => `POST ${path}`).join(' and ')
    return {
      ok: false,
      sentence: `${derms.name}: openapi.json lacks ${lacking}; check baseUrl, paths and the release.`,
    }
  })

/** Lists the score files of a transfer as its run does; nothing is read or renamed. */
export const testScoreSource = (
  name: string,
  connections: Installation['connections'],
  readProperties: () => Promise<ConfigProps>,
): Promise<Finding> =>
  findingOf(async () => {
    const properties = await readProperties()
    const prefix = properties['dacs.dvcScore.extract.filename.prefix']
    await using source = await openScoreSource(name, connections, properties)
    const { length } = await source.list(prefix)
    const files = length === 1 ? '1 file' : `${length} files`
    return { ok: true, sentence: `${name}: can be listed; ${files} beginning with ${printable(prefix)}.` }
  })

/** Looks for a bill that cannot be there. */
export const testBills = (section: BillsSection, connections: Installation['connections']): Promise<Finding> =>
  findingOf(async () => {
    await using files = await openBillFiles(section.source, connections, section.firstByteWithinS * 1_000)
    await files.find('tieline-connection-test.pdf')
    return { ok: true, sentence: 'bills: the place of the bills can be read.' }
  }, 'bills: ')

/** Writes a payload, reads it, and removes it. */
export const testPayloads = (installation: Installation): Promise<Finding> =>
  findingOf(async () => {
    await using parts = new AsyncDisposableStack()
    const store = await openPayloadStore(installation, parts)
    const reference = `connection-test-${randomUUID()}`
    await store.put(reference, Readable.from([Buffer.from(reference)]))
    try {
      const read = Buffer.concat(await Array.fromAsync(await store.get(reference))).toString()
      if (read !== reference) return { ok: false, sentence: 'payloads: what was written comes back otherwise.' }
    } finally {
      await store.remove(reference)
    }
    return { ok: true, sentence: 'payloads: can be written, read and removed.' }
  }, 'payloads: ')

/** Connects to the mail server and logs in. */
export const testMail = (mailer: Mailer): Promise<Finding> =>
  findingOf(async () => {
    await mailer.verify()
    return { ok: true, sentence: 'mail: the server answers, and takes the login if there is one.' }
  }, 'mail: ')

const usedOperations = ['enroll', 'statusCheck', 'eventReservationAck', 'deviceOutcomeAck'] as const

const openApi = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

/** Descriptions name paths with or without the root of their servers, so the end decides. A part in braces may have any name. */
function isSamePath(called: string, described: string): boolean {
  const [ours, theirs] = [nameless(called), nameless(described)]
  return theirs.endsWith(ours) || new URL(ours, 'http://base').pathname.endsWith(theirs)
}

const nameless = (path: string) => path.replaceAll(/\{[^}]*\}/g, '*')

async function findingOf(test: () => Promise<Finding>, subject = ''): Promise<Finding> {
  try {
    return await test()
  } catch (error) {
    if (!(error instanceof TielineError)) throw error
    return { ok: false, sentence: `${subject}${error.message}; ${hintFor(error)}.` }
  }
}

/** What to look at first; a test makes one call by hand, so the advice of `failures` on messages does not fit. */
const hints: Partial<Readonly<Record<FailureCode, string>>> = {
  'target-unauthorized': 'check user, password or client secret',
  'target-forbidden': "check the user's rights at the target",
  'target-not-found': 'check baseUrl and paths, or the directory or bucket in ConfigProps',
  'target-unreachable': 'check baseUrl, the network, the proxy and the certificates',
  'host-key-mismatch': 'ask whoever runs the server whether that key is theirs, before you write it into hostKey',
  'lookup-missing': 'set it with `tieline lookups set ConfigProps`',
  'target-timeout': 'check baseUrl, the network and the target',
  'mail-unreachable': 'check mail.url with its user and password, and the mail server',
}

function hintFor(error: TielineError): string {
  if (error instanceof CallError && error.status === 203) {
    return 'it is degraded, which acceptDegradedHealth takes for healthy'
  }
  return hints[error.code] ?? 'look at the target'
}
