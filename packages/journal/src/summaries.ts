import type { FileTotals } from '@tieline/contracts/file-totals'
import { type FlowId, isFlowId } from '@tieline/contracts/flows'
import type { RowTotals } from '@tieline/contracts/row-totals'
import type { Journal } from './journal.ts'
import { readPins } from './kernel/pins.ts'
import type { FieldName, MessageRecord, State } from './schema.ts'
import type { Outcome } from './types.ts'

/** One message as operators see it: no payload, no reply, nothing personal. */
export interface MessageSummary {
  readonly key: string
  readonly flow: FlowId
  readonly instance: string
  readonly id: string
  readonly client: string
  readonly state: State
  readonly stateAt: number
  readonly firstAcceptedAt: number
  /** Rises by one with each message: the order of first acceptance. */
  readonly seq: number
  readonly generation: number
  readonly attempts: number
  readonly outcome: Outcome | undefined
  readonly code: string | undefined
  readonly nextAt: number | undefined
  readonly line: string | undefined
  /** The line of another flow that it waits for at first. */
  readonly follows?: string
  readonly division: string | undefined
  /** The connections that were chosen for it, as far as one has been chosen. */
  readonly connections: readonly string[]
  readonly changed: boolean
  /** The file that came with it. */
  readonly file?: { readonly name: string; readonly bytes: number; readonly kept: boolean }
  /** What became of the rows of its file, once it is settled. */
  readonly rows?: RowTotals
  /** What became of the files of a transfer, once its run is settled. */
  readonly files?: FileTotals
  /** Key of the message that tells its sender the result. */
  readonly acknowledgment?: string
  /** Key of the message whose result it tells. */
  readonly acknowledges?: string
}

/** The messages with these keys, without those that are not kept any more. */
export async function summarize(journal: Journal, keys: readonly string[]): Promise<MessageSummary[]> {
  if (keys.length === 0) return []
  const pipeline = journal.redis.pipeline()
  for (const key of keys) pipeline.hgetall(`${journal.base}:m:${key}`)
  const answers = (await pipeline.exec()) ?? []
  return answers.flatMap(([, record], i) => {
    const fields = record as MessageRecord
    return fields.flow ? [toSummary(keys[i] ?? '', fields)] : []
  })
}

const flowOf = (value: string | undefined): FlowId => (value !== undefined && isFlowId(value) ? value : 'notification')

function toSummary(key: string, fields: MessageRecord): MessageSummary {
  const optionalNumber = (name: FieldName) => (fields[name] ? Number(fields[name]) : undefined)
  return {
    key,
    flow: flowOf(fields.flow),
    instance: fields.instance ?? '',
    id: fields.id ?? '',
    client: fields.client ?? '',
    state: (fields.state ?? 'accepted') as State,
    stateAt: Number(fields.stateAt),
    firstAcceptedAt: Number(fields.firstAcceptedAt),
    seq: Number(fields.seq),
    generation: Number(fields.generation),
    attempts: Number(fields.attempts),
    outcome: (fields.outcome || undefined) as Outcome | undefined,
    code: fields.code || undefined,
    nextAt: optionalNumber('nextAt'),
    line: fields.line || undefined,
    ...(fields.follows && { follows: fields.follows }),
    division: fields.division || undefined,
    connections: connectionsOf(fields.pins),
    changed: fields.changed !== undefined,
    ...(fields.fileRef !== undefined && {
      file: { name: fields.fileName ?? '', bytes: Number(fields.fileBytes), kept: fields.fileRef !== '' },
    }),
    ...(fields.rows && { rows: JSON.parse(fields.rows) as RowTotals }),
    ...(fields.files && { files: JSON.parse(fields.files) as FileTotals }),
    ...(fields.ack && { acknowledgment: fields.ack }),
    ...(fields.acknowledges && { acknowledges: fields.acknowledges }),
  }
}

/** The pins that processors choose a connection by; an acknowledgment of many requests has one for each. */
const connectionPin = /^(?:dacs|derms|connection(?:\..*)?)$/

const connectionsOf = (pins: string | undefined): string[] => [
  ...new Set(Object.entries(readPins(pins)).flatMap(([name, value]) => (connectionPin.test(name) ? [value] : []))),
]
