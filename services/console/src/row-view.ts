import type { MessageDetails, MessageFile } from '@tieline/journal/operations'
import { openStates } from '@tieline/journal/schema'
import type { DeviceRows } from '@tieline/worker-service/find-devices'
import type { RowStory } from '@tieline/worker-service/find-rows'
import { formatRows } from './message-view.ts'
import { formatFields, formatTable } from './table.ts'
import { formatLocal, formatTime } from './times.ts'

/** What became of a file as a whole, and the first rows that were left out. */
export function formatRowSummary(message: MessageDetails, { faults }: Pick<MessageFile, 'faults'>): string {
  const summary = formatFields({
    message: message.key,
    state: message.state,
    rows: message.rows ? formatRows(message.rows) : whyUncounted(message),
  })
  if (faults.length === 0) return summary
  const table = formatTable(
    ['row', 'left out because'],
    faults.map(({ row, rule }) => [String(row), rule]),
  )
  return `${summary}\n\n${table}`
}

function whyUncounted({ state, code, effects }: MessageDetails): string {
  if (openStates.some((open) => open === state)) return 'not settled; `messages show` counts its calls'
  const end = `the message ended as ${code ?? state}`
  return effects.length === 0 ? `none went to DACS: ${end}` : `not counted: ${end}; \`messages show\` counts its calls`
}

/** Rows of one device in several files, one line each. */
export const formatDeviceRows = (files: readonly DeviceRows[]): string =>
  formatTable(
    ['event file', 'row', 'state', 'last (local time)'],
    files.flatMap(({ message, rows }) =>
      rows.map(({ row, state, effect }) => [
        message.key,
        String(row),
        meaningOf[state],
        formatLocal(effect?.at ?? message.stateAt),
      ]),
    ),
  )

/** One row: the call that carried it, or why there is none. */
export const formatRowStory = ({ row, first, last, state, rule, effect }: RowStory): string =>
  formatFields({
    row,
    segment: `rows ${first} to ${last}`,
    state: meaningOf[state],
    reason: rule,
    call: effect && `${effect.operation} at ${effect.connection}`,
    attempts:
      effect && `${effect.tries}${effect.repeats > 0 ? `, ${effect.repeats} of them after an unknown outcome` : ''}`,
    'answer of DACS':
      effect?.status === undefined ? effect?.code : `HTTP ${effect.status}${effect.code ? `, ${effect.code}` : ''}`,
    last: effect && formatTime(effect.at),
  })

const meaningOf: Readonly<Record<RowStory['state'], string>> = {
  confirmed: 'confirmed: DACS has it',
  refused: 'refused: DACS does not have it',
  failed: 'failed: certainly not at DACS',
  unknown: 'unknown: perhaps at DACS',
  sending: 'being sent, or the process that sent it died',
  'left-out': 'left out of the call',
  'not-sent': 'not sent',
}
