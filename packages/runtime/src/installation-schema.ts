import { join } from 'node:path'
import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'
import { agentsSection, gatewaySection } from './installation-agents.ts'
import { compatSection } from './installation-compat.ts'
import { connectionsSection } from './installation-connections.ts'
import { type FileField, fileField, isMailUrl, nameField, text, timezoneField, whole } from './installation-fields.ts'
import { flowsSection } from './installation-flows.ts'
import { billsSection, consoleSection, ingressSection } from './installation-listeners.ts'

interface Folders {
  /** Folder of the installation file: relative file names begin here. */
  readonly baseDir: string
  /** `DATA_DIR`: payloads are kept below it when the file says nothing else. */
  readonly dataDir: string
}

/** The whole installation file. Unknown keys are faults everywhere, so that no typing error passes silently. */
export function installationSchema({ baseDir, dataDir }: Folders) {
  const file = fileField(baseDir)
  return z.strictObject({
    installation: installationSection,
    ingress: ingressSection(file),
    connections: connectionsSection(file),
    deviceScore: deviceScoreSection,
    mail: mailSection,
    lookups: z
      .strictObject({ directory: file.optional().describe('CSV files, one per lookup, named after it.') })
      .prefault({})
      .describe(
        'First values of the lookups, read when Redis has none. A lookup without a file starts with built-in rows.',
      ),
    payloads: payloadsSection(file, dataDir),
    retention: retentionSection,
    flows: flowsSection,
    compat: compatSection(),
    console: consoleSection(file),
    bills: billsSection(file),
    agents: agentsSection,
    gateway: gatewaySection(file),
  })
}

const installationSection = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "_" or "-", a letter or digit first')
      .default('tieline')
      .describe(
        'Name of the installation: hash tag of every Redis key, so it must not change while Redis holds messages.',
      ),
    environment: z
      .string()
      .regex(/^[\w .-]{1,32}$/, 'must be 1 to 32 letters, digits, blanks, "_", "-" or "."')
      .default('test')
      .describe('What people call this environment; shown in e-mail subjects.'),
  })
  .prefault({})
  .describe('Which installation this is.')

const deviceScoreSection = z
  .array(
    z.strictObject({
      name: nameField().describe('Name of the transfer.'),
      source: nameField().describe(
        'Connection of kind `sftp`, `oci-object-storage` or `directory` that has the files.',
      ),
      target: nameField().describe('Connection of kind `derms` that takes them.'),
      schedule: z
        .string()
        .refine(isCronExpression, 'must be a cron expression of five or six fields')
        .describe('Cron expression; a sixth field in front of the usual five is seconds.'),
      timezone: timezoneField().describe('Time zone of the schedule, such as `America/Los_Angeles`.'),
    }),
  )
  .default([])
  .describe('Scheduled transfers of score files.')

const mailSection = z
  .strictObject({
    url: z
      .string()
      .refine(isMailUrl, 'must be an smtp or smtps address')
      .describe('Mail server, `smtp://` or `smtps://`; user and password percent-encoded in it.'),
    digestMinutes: whole(0, 1_440)
      .default(15)
      .describe(
        'Repeats of one kind of failure are joined into one mail for this many minutes; 0: one mail per failure.',
      ),
    details: z
      .boolean()
      .default(false)
      .describe(
        'Mails about failures quote what the target said. Its words may hold names, numbers or addresses of customers.',
      ),
  })
  .optional()
  .describe('Outgoing e-mail. Without it no notification can be sent.')

const payloadsSection = (file: FileField, dataDir: string) =>
  z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('fs'),
        path: file.optional().describe('Folder that all services share. Omitted: `payloads` below `DATA_DIR`.'),
      }),
      z.strictObject({
        kind: z.literal('oci-object-storage'),
        connection: nameField().describe('Connection of kind `oci-object-storage`.'),
        bucket: text().describe('Bucket of the payloads.'),
      }),
    ])
    .prefault({ kind: 'fs' })
    .transform((store) => (store.kind === 'fs' ? { ...store, path: store.path ?? join(dataDir, 'payloads') } : store))
    .describe('Where payloads above 4 MiB are kept; smaller ones are in Redis.')

const retentionSection = z
  .strictObject({
    messagesDays: whole(1, 3_650).default(32).describe('Keep settled messages for this many days.'),
    payloadHours: whole(0, 87_600)
      .default(24)
      .describe('Keep the payload of a message that succeeded for this many hours; any other goes with its message.'),
    replayHours: whole(0, 87_600)
      .default(24)
      .describe('Answer a repeat of a message that succeeded with its stored reply for this many hours.'),
    auditDays: whole(1, 3_650).default(365).describe('Keep the audit log for this many days.'),
  })
  .prefault({})
  .describe('How long things are kept.')

/** As the queue reads it that starts the runs. */
function isCronExpression(text: string): boolean {
  try {
    CronExpressionParser.parse(text)
    return [5, 6].includes(text.trim().split(/\s+/).length)
  } catch {
    return false
  }
}
