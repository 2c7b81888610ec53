import { toUtc } from '@tieline/contracts/date-time'
import {
  type DacsOutcomes,
  type EventOutcome,
  eventOutcome,
  eventOutcomes,
  outcomeErrorLengthMax,
  outcomeRow,
} from '@tieline/contracts/messages/event-outcome'
import type { EventFile } from '../event-file.ts'
import { refuseControlCharacters } from './control-characters.ts'
import { eventKeyOf } from './event-key.ts'
import { requireCode } from './require-code.ts'

type Outcome = DacsOutcomes['postOutcomeList'][number]

/** F9: each row of the file is what became of a device that was called (docs/wire-facts.md, F9). */
export const outcomeFile: EventFile<EventOutcome, Outcome> = {
  flow: 'event-outcome',
  message: eventOutcome,
  operation: 'postEventOutcome',

  toItem(values, { lookups, compat, readRow }) {
    refuseControlCharacters(values, ['errorMessage'])
    const row = readRow(outcomeRow, values)
    const { participationStartDateTime: start, participationEndDateTime: end } = row
    const outcome = requireCode(compat.codes.eventOutcome ?? eventOutcomes, lookups, 'EventOutcome', row.outcome)
    // DACS takes none with a success.
    const errorMessage = outcome === 'D1SP' ? undefined : beginningOf(row.errorMessage)
    return {
      eventExternalIdentifier: eventKeyOf(row, compat),
      nicId: row.nicId,
      headEndSystem: row.headEndSystemId,
      outcome,
      ...(start && { participationStartDateTime: toUtc(start) }),
      ...(end && { participationEndDateTime: toUtc(end) }),
      ...(errorMessage && { errorMessage }),
    }
  },

  toBody: (_message, items): DacsOutcomes => ({ postOutcomeList: [...items] }),
}

/** As much of a text as DACS takes, without half a character at its end. */
const beginningOf = (text: string | null | undefined) =>
  text
    ?.toWellFormed()
    .slice(0, outcomeErrorLengthMax)
    .replace(/[\uD800-\uDBFF]$/, '')
