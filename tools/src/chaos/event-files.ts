import { examples } from '@tieline/contracts/examples'
import type { FileFlowId } from '@tieline/contracts/flows'
import type { Message } from './bodies.ts'

/** So few that most files have several segments, and no two flows the same borders. */
export const segmentRows = { 'event-reservation': 10, 'event-outcome': 7 } as const satisfies Record<FileFlowId, number>

/** A file that reserves devices for a stage. No device is in two files, so a row at DACS tells where it came from. */
export const reservation = (id: string, stageId: string, rows: number): Message => ({
  flow: 'event-reservation',
  body: () => ({
    ...examples['event-reservation'],
    messageId: `RSV-${id}`,
    eventId: `EVT-${stageId}`,
    stageId,
  }),
  content: (version) =>
    csv(
      'nicId,headEndSystemId,reservationEndDateTime',
      numbers(rows).map((row) => `RSV-${id}-${row},NEST,${markOf(version)}`),
    ),
})

/** What became of devices. Row `bad`, counted from 1, has an outcome that no lookup knows. */
export const outcome = (id: string, stageId: string, rows: number, bad = 0): Message => ({
  flow: 'event-outcome',
  body: () => ({ ...examples['event-outcome'], messageId: `OUT-${id}`, eventIds: [`EVT-${stageId}`] }),
  content: (version) =>
    csv(
      'nicId,headEndSystemId,participationEndDateTime,stageId,outcome',
      numbers(rows).map(
        (row) => `OUT-${id}-${row},NEST,${markOf(version)},${stageId},${row === bad ? 'ASLEEP' : 'SUCCESS'}`,
      ),
    ),
})

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const csv = (header: string, rows: readonly string[]) => `${[header, ...rows].join('\n')}\n`

/** A changed file gives every device another end. */
const markOf = (version: number) => `2024-09-01T2${version}:00:00Z`

/** One row of a file of this run. */
export interface Row {
  readonly nicId: string
  /** What tells a row of a changed file from the one before. */
  readonly mark: string
}

const rowsOf = (content: string): Row[] =>
  content
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [nicId = '', , mark = ''] = line.split(',')
      return { nicId, mark }
    })

/** A part of a file that goes to DACS in one call. */
export interface Segment {
  /** The journal's name of the call. */
  readonly effect: string
  readonly rows: readonly Row[]
}

export function segmentsOf(flow: FileFlowId, content: string): Segment[] {
  const rows = rowsOf(content)
  const size = segmentRows[flow]
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => {
    const some = rows.slice(i * size, (i + 1) * size)
    return { effect: `rows.${i * size + 1}-${i * size + some.length}`, rows: some }
  })
}
