import { type FailureCode, failures } from '@tieline/contracts/failures'
import type { FileTotals } from '@tieline/contracts/file-totals'
import { flowSpec } from '@tieline/contracts/flows'
import type { RowTotals } from '@tieline/contracts/row-totals'
import type { EffectSummary } from '@tieline/journal/kernel/effects'
import type { MessageDetails, MessageSummary, TimelineEntry } from '@tieline/journal/operations'
import { isSegmentEffect } from '@tieline/worker-service/segments'
import { formatFields, formatTable } from './table.ts'
import { formatLocal, formatTime } from './times.ts'

/** One line a message. */
export const formatMessages = (messages: readonly MessageSummary[]): string =>
  formatTable(
    ['key', 'flow', 'state', 'code', 'attempts', 'since (local time)'],
    messages.map(({ key, flow, state, code, attempts, stateAt }) => [
      key,
      flowSpec(flow).code,
      state,
      code ?? '',
      String(attempts),
      formatLocal(stateAt),
    ]),
  )

/** Record, time line and effects of one message. */
export const formatMessage = (message: MessageDetails): string =>
  [formatRecord(message), formatTimeline(message.timeline), formatEffects(message.effects)]
    .filter((part) => part !== '')
    .join('\n\n')

function formatRecord(message: MessageDetails): string {
  const { code, title } = flowSpec(message.flow)
  const failure = message.code !== undefined && isFailureCode(message.code) ? failures[message.code] : undefined
  return formatFields({
    message: message.key,
    flow: `${code} ${title}`,
    instance: message.instance,
    id: message.id,
    client: message.client,
    line: message.line,
    division: message.division,
    state: `${message.state} since ${formatTime(message.stateAt)}`,
    outcome: message.outcome,
    code: message.code,
    reason: message.reason,
    meaning: failure?.meaning,
    next: failure?.next,
    accepted: formatTime(message.firstAcceptedAt),
    'next try': message.nextAt === undefined ? undefined : formatTime(message.nextAt),
    generation: `${message.generation}${message.changed ? ', payload-changed' : ''}`,
    attempts: message.attempts,
    file: message.file && formatFile(message.file),
    rows: message.rows && formatRows(message.rows),
    files: message.files && formatFiles(message.files),
    segments: formatSegments(message.effects.filter(({ id }) => isSegmentEffect(id))),
    'told by': message.acknowledgment,
    'tells of': message.acknowledges,
  })
}

const formatFile = ({ name, bytes, kept }: NonNullable<MessageDetails['file']>): string =>
  `${name || 'without a name'}, ${bytes} bytes${kept ? '' : ', no longer kept'}`

export const formatRows = ({ read, confirmed, refused, unknown, notSent }: RowTotals): string =>
  `${read} read: ${confirmed} confirmed, ${refused} refused or left out, ${unknown} of unknown outcome, ${notSent} not sent`

export const formatFiles = ({ sent, failed, left }: FileTotals): string =>
  `${sent} sent, ${failed} not transferred, ${left} left`

/** A file has thousands of calls: how many are in each state. */
function formatSegments(segments: readonly EffectSummary[]): string | undefined {
  if (segments.length === 0) return undefined
  const counts = [...Map.groupBy(segments, ({ state }) => state)].map(([state, { length }]) => `${length} ${state}`)
  const repeats = segments.reduce((sum, effect) => sum + effect.repeats, 0)
  return [...counts, ...(repeats > 0 ? [`${repeats} repeats of calls of unknown outcome`] : [])].join(', ')
}

const formatTimeline = (timeline: readonly TimelineEntry[]): string =>
  formatTable(
    ['time', 'what', 'details'],
    timeline.map(({ at, what, ...details }) => [formatTime(at), what, formatDetails(details)]),
  )

/** Of the calls of a file only those that are not confirmed, and not all of them. */
const segmentsShownMax = 20

function formatEffects(all: readonly EffectSummary[]): string {
  const open = all.filter(({ id, state }) => isSegmentEffect(id) && state !== 'confirmed').slice(0, segmentsShownMax)
  const effects = [...all.filter(({ id }) => !isSegmentEffect(id)), ...open]
  if (effects.length === 0) return ''
  return formatTable(
    ['effect', 'state', 'call', 'at', 'tries', 'status', 'code', 'last'],
    effects.map(({ id, state, operation, connection, tries, status, code, at }) => [
      id,
      state,
      operation,
      connection,
      String(tries),
      String(status ?? ''),
      code ?? '',
      formatTime(at),
    ]),
  )
}

const formatDetails = (details: Readonly<Record<string, unknown>>): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')

const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(failures, code)
