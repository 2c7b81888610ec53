import { type FailureCode, failures } from '@tieline/contracts/failures'
import { flowSpec } from '@tieline/contracts/flows'
import type { EffectSummary } from '@tieline/journal/effects'
import type { MessageDetails, MessageSummary, TimelineEntry } from '@tieline/journal/operations'
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
    meaning: failure?.meaning,
    next: failure?.next,
    accepted: formatTime(message.firstAcceptedAt),
    'next try': message.nextAt === undefined ? undefined : formatTime(message.nextAt),
    generation: `${message.generation}${message.changed ? ', payload-changed' : ''}`,
    attempts: message.attempts,
  })
}

const formatTimeline = (timeline: readonly TimelineEntry[]): string =>
  formatTable(
    ['time', 'what', 'details'],
    timeline.map(({ at, what, ...details }) => [formatTime(at), what, formatDetails(details)]),
  )

function formatEffects(effects: readonly EffectSummary[]): string {
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
