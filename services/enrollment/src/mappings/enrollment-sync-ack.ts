import type { DacsUpdateSyncRequest, EnrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'

type SyncResponse = EnrollmentSyncAck['responses'][number]

/** F3: the result of one sync request as DACS wants it (docs/wire-facts.md, F3). Only SUCCESS is no error. */
export function toDacsSyncUpdate(
  { dacsMessageId, responseCode, value }: SyncResponse,
  { configProps }: Pick<LookupSnapshot, 'configProps'>,
): DacsUpdateSyncRequest {
  const hasError = responseCode.toUpperCase() !== 'SUCCESS'
  const exception = {
    sequence: 1,
    messageCategory: configProps['dacs.error.ack.messagecategory'],
    messageNumber: configProps['dacs.error.ack.messagenumber'],
    ...(value && {
      comments: cut(value, 254),
      messageParameters: [{ parameterSequence: 1, messageParameterValue: cut(value, 2000) }],
    }),
  }
  return {
    'F1-UpdateSyncRequest': {
      syncRequestId: dacsMessageId,
      hasError,
      ...(hasError && { exceptionInfo: [exception] }),
    },
  }
}

/** A cut must not leave half a character behind. */
const cut = (text: string, lengthMax: number): string => text.slice(0, lengthMax).toWellFormed()
