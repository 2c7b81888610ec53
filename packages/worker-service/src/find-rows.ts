import type { FileFlowId } from '@tieline/contracts/flows'
import type { EffectSummary } from '@tieline/journal/kernel/effects'
import type { MessageFile } from '@tieline/journal/operations'
import { emptyRowsOf, readEventRows } from './event-rows.ts'
import { segmentEffect, unpackRows } from './segments.ts'

/** What happened to one row of an event file. */
export interface RowStory {
  readonly row: number
  /** Rows that go in the same call. */
  readonly first: number
  readonly last: number
  /** `left-out`: not in any call; `not-sent`: no call of its segment was made yet. Else the state of the call that carried it. */
  readonly state: EffectSummary['state'] | 'left-out' | 'not-sent'
  /** The call. */
  readonly effect?: EffectSummary
  /** Why it was left out, if that was kept. */
  readonly rule?: string
}

export interface WantedRows {
  readonly flow: FileFlowId
  /** Number of a row, from 1 without the header. */
  readonly row?: number | undefined
  /** NIC of a device. */
  readonly device?: string | undefined
  /** Of the catalogue or the installation; a message that has begun keeps its own. */
  readonly segmentRows: number
  /** Other names of columns, see `compat.fieldAliases`. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** Numbers of its rows, if they are known; else the file is read. */
  readonly numbers?: readonly number[] | undefined
}

/**
 * Finds rows by number or device.
 * Throws TielineError when the file is needed for that and is no longer kept or cannot be read.
 */
export async function* findRows(file: MessageFile, wanted: WantedRows): AsyncGenerator<RowStory> {
  const segmentRows = Number(file.pins.segmentRows ?? wanted.segmentRows)
  const rowCount = Number(file.pins.rows ?? Number.POSITIVE_INFINITY)
  for await (const number of wanted.numbers ?? numbersInFile(file, wanted))
    yield tell(file, number, segmentRows, rowCount)
}

async function* numbersInFile(file: MessageFile, wanted: WantedRows): AsyncGenerator<number> {
  const emptyRows = emptyRowsOf(file.pins.emptyRows, file.effects.keys())
  const device = wanted.device?.trim().toLowerCase()
  for await (const rows of readEventRows(file.open(), { ...wanted, emptyRows, only: ['nicId'] })) {
    for (const { number, values } of rows) {
      if (wanted.row !== undefined && number !== wanted.row) continue
      if (device !== undefined && values.nicId?.toLowerCase() !== device) continue
      yield number
      if (wanted.row !== undefined) return
    }
  }
}

function tell(file: MessageFile, row: number, segmentRows: number, rowCount: number): RowStory {
  const first = row - ((row - 1) % segmentRows)
  const last = Math.min(first + segmentRows - 1, rowCount)
  const story = { row, first, last }
  const rule = file.faults.find((fault) => fault.row === row)?.rule
  for (let part = 1; ; part++) {
    const effect = file.effects.get(segmentEffect(first, last, part))
    if (effect === undefined) {
      const leftOut = part > 1 || rule !== undefined
      return { ...story, state: leftOut ? 'left-out' : 'not-sent', ...(rule !== undefined && { rule }) }
    }
    if (effect.state !== 'confirmed') {
      return rule === undefined ? { ...story, state: effect.state, effect } : { ...story, state: 'left-out', rule }
    }
    if (!leftBy(file, effect).includes(row - first)) return { ...story, state: 'confirmed', effect }
  }
}

/** Places of the rows that a confirmed call did not carry. */
function leftBy(file: MessageFile, { id }: EffectSummary): number[] {
  const result = file.effectResult(id) as { kept?: { left?: string } } | undefined
  return unpackRows(result?.kept?.left)
}
