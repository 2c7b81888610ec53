import { readFile } from 'node:fs/promises'

/** One number that Tieline means to reach, or, without a goal, a comparison. */
export interface Figure {
  readonly what: string
  readonly against: string
  readonly value: number
  /** Empty for a ratio. */
  readonly unit: string
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Measurement {
  /** Name of the file in `bench/results`. */
  readonly name: string
  readonly what: string
  readonly rounds: number
  /** A line each; every line has the same columns. */
  readonly results: readonly Readonly<Record<string, string | number>>[]
  readonly figures: readonly Figure[]
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Median of the ratios of rounds that ran one after the other: what slows one round slows both. */
export const ratioOf = (values: readonly number[] = [], references: readonly number[] = []): number =>
  Number(median(values.map((value, i) => value / (references[i] ?? Number.NaN))).toFixed(2))

export const formatMeasurement = ({ what, results }: Measurement): string => {
  const columns = Object.keys(results[0] ?? {})
  const lines = [columns, ...results.map((result) => columns.map((column) => String(result[column] ?? '')))]
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => cells[i]?.length ?? 0)))
  const table = lines.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${what}\n\n${table.join('\n')}`
}

/** The most that was ever resident of a process, in MiB (Linux). */
export async function peakMib({ pid }: { readonly pid: number }): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024)
}
