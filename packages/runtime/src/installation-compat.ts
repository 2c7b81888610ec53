import { assumedLength } from '@tieline/contracts/assumed'
import { inboundFlowIds } from '@tieline/contracts/flows'
import { assetOwnerships, installationMethods } from '@tieline/contracts/messages/enrollment-request'
import { eventOutcomes } from '@tieline/contracts/messages/event-outcome'
import { msgAckListPlaces } from '@tieline/contracts/msg-ack'
import { type CodeRule, type LengthRule, lengthRules } from '@tieline/contracts/reading/rules'
import { z } from 'zod'
import { always, text, timezoneField, whole } from './installation-fields.ts'

/** Section `compat`: facts about the far sides that nobody has published, or that differ between their releases. */
export const compatSection = () =>
  z
    .strictObject({
      eventKey: z
        .enum(['stage', 'event'])
        .default('stage')
        .describe('Which id DACS gets as `eventExternalIdentifier`: that of the stage or that of the event.'),
      reading: z
        .enum(['tolerant', 'strict'])
        .default('tolerant')
        .describe(
          'What becomes of a message whose values have other types than its contract: `tolerant` bends what has one meaning (a number where a text is wanted, one object where a list is), counts and notes it; `strict` refuses.',
        ),
      unpublishedRules: z
        .enum(['warn', 'refuse'])
        .optional()
        .describe(
          'What becomes of a value that breaks a rule which nobody has published: `warn` lets it go on as it is, counts and notes it. Usually `warn`; with `reading: strict` it is `refuse`.',
        ),
      timezone: timezoneField()
        .default('UTC')
        .describe('Zone of date-times that say none, such as `America/Los_Angeles`; what is sent on says its zone.'),
      lengths: lengthsField(),
      codes: codesField(),
      msgAckWrapper: z.boolean().default(true).describe('Acknowledgments to DERMS have the root property `MsgAck`.'),
      msgAckResponses: z
        .enum(msgAckListPlaces)
        .default('responses.response')
        .describe('Where the list of responses stands in an acknowledgment to DERMS. All three are read.'),
      msgAckNames: z
        .strictObject({
          id: text().default('id').describe('Name of the id of the answered record.'),
          value: text().default('value').describe('Name of the text: the new enrollment id, or what is wrong.'),
          responseCode: text().default('responseCode').describe("Name of the record's result."),
        })
        .refine(
          (names) => new Set(Object.values(names)).size === Object.keys(names).length,
          always('must be different names'),
        )
        .prefault({})
        .describe('What DERMS calls the fields of a response, in acknowledgments to it and in those that it sends.'),
      acceptedReply: z
        .enum(['empty', 'msgAck'])
        .default('empty')
        .describe(
          'Answer to an accepted F3, F6 or F9: `empty` is 202 without a body, `msgAck` is 200 with an acknowledgment SUCCESS.',
        ),
      roots: z
        .partialRecord(z.enum(inboundFlowIds), z.string())
        .default({})
        .describe(
          'Per flow, the name of an object that stands around the whole message. For `enrollment-sync` and `device-status-check` it stands for `sendDetails`, and an empty text says that there is none.',
        ),
      fieldAliases: z
        .partialRecord(z.enum(inboundFlowIds), z.record(text(), text()))
        .default({})
        .describe('Per flow, incoming field name to contract field name; applied before a message is parsed.'),
    })
    .prefault({})
    .transform((compat) => ({
      ...compat,
      unpublishedRules:
        compat.unpublishedRules ?? (compat.reading === 'strict' ? ('refuse' as const) : ('warn' as const)),
    }))
    .describe('Facts about the far sides that nobody has published.')

function lengthsField() {
  const field = (name: LengthRule) =>
    whole(1, 100_000)
      .optional()
      .describe(`Greatest length of ${meanings[name] ?? `\`${name}\``}; assumed: ${assumedLength[name]}.`)
  const fields = Object.fromEntries(lengthRules.map((name) => [name, field(name)])) as Record<
    LengthRule,
    ReturnType<typeof field>
  >
  return z
    .strictObject(fields)
    .default({})
    .describe('Greatest lengths that this installation knows, in place of assumed ones. What is longer is refused.')
}

/** Lengths that are not of one field of their name. */
const meanings: Partial<Record<LengthRule, string>> = {
  unknown: '`recordId` of files',
  routingKey: '`drmsInstanceId`, and of `division` in F2 and F4',
  division: '`division` in F1',
  messageId: '`messageId` in F7 and F9',
  eventId: 'one of `eventIds` in F9',
  deviceType: '`deviceType` of a device in F2',
  deviceSpecification: '`specification` of a device in F2',
  deviceNicId: '`nicId` of a device in F2',
  deviceSerialNo: '`serialNo` of a device in F2',
  specification: '`specification` in F1',
  code: 'a code: `eventType`, `stageStatus`, `outcome`, `responseCode` in F5, states of devices in F2',
}

function codesField() {
  const field = (known: readonly string[], meaning: string) =>
    z
      .array(text())
      .min(1)
      .optional()
      .describe(`All codes of ${meaning}; usually ${known.join(', ')}.`)
  const fields = {
    installationMethod: field(installationMethods, '`installationMethod` in F1 that DACS has'),
    assetOwnership: field(assetOwnerships, '`assetOwnership` in F1 that DACS has'),
    eventOutcome: field(eventOutcomes, '`outcome` that DACS takes in F9'),
  } satisfies Record<CodeRule, z.ZodType>
  return z
    .strictObject(fields)
    .default({})
    .describe('Codes that this installation knows, in place of the published lists.')
}
