import { droppedFields } from '@tieline/contracts/reading/dropped-fields'
import { createReading, type Leniency, type Reading, type ReadingSettings } from '@tieline/contracts/reading/reading'
import type { Attempt } from '@tieline/journal/types'
import { never, TielineError } from '@tieline/runtime/error'
import type { Logger } from '@tieline/runtime/logger'
import type { Registry } from 'prom-client'
import type { z } from 'zod'
import { createDroppedFieldsLog } from './dropped-fields-log.ts'
import { createLeniencyMetrics } from './leniency-metrics.ts'
import { brokenContract, faultsOf } from './parse-payload.ts'

interface ReadOptions {
  /** Where the value stands in the message, such as `params[]`. */
  readonly place?: string
  /** Brings the value to the form of what comes out, where that differs; for telling what was left out. */
  readonly parts?: (value: unknown) => unknown
}

/** Reads one message, in one attempt, and tells what it let pass. */
export interface MessageReader {
  /** By a contract, as the installation wants it read. A part of the message that does not fit spoils no other. */
  try<Schema extends z.ZodType>(contract: Schema, value: unknown, options?: ReadOptions): Reading<z.infer<Schema>>
  /** @throws TielineError `contract-violation` naming paths and rules, never a value */
  read<Schema extends z.ZodType>(contract: Schema, value: unknown, options?: ReadOptions): z.infer<Schema>
  /** As `read`, for one row of a file, whose columns are chosen already. */
  readRow<Schema extends z.ZodType>(contract: Schema, values: unknown): z.infer<Schema>
  /** Tells of fields, or columns, that were left out before anything was read of them. */
  leftOut(names: readonly string[]): void
  /** Puts what was let pass so far on the time line and into the metrics. */
  tell(): Promise<void>
}

/** @param counts whether what is let pass is counted and told: later attempts read the same again */
export type OpenMessageReader = (attempt: Pick<Attempt, 'flow' | 'number' | 'note'>, counts?: boolean) => MessageReader

interface Deps {
  readonly settings: ReadingSettings
  readonly register: Registry
  readonly logger: Pick<Logger, 'warn'>
  readonly clock: () => number
}

/** So many paths stand on a time line; of the others there is the number. */
const pathsMax = 20

/** One for each process: the workers of all its flows count together. */
export function createMessageReaders({ settings, register, logger, clock }: Deps): OpenMessageReader {
  const reading = createReading(settings)
  const metrics = createLeniencyMetrics(register)
  const tellDropped = createDroppedFieldsLog({ counter: metrics.dropped, logger, clock })

  return ({ flow, number, note }, counts = number === 1) => {
    const bent = new Map<string, number>()
    const unpublished = new Map<string, number>()

    const collect = (lenient: Leniency | undefined, place = '') => {
      if (lenient === undefined || !counts) return
      for (const path of lenient.bent.map((inner) => below(place, inner))) {
        increase(bent, path)
        metrics.bent.inc({ flow, path })
      }
      for (const { path: inner, rule } of lenient.unpublished) {
        const path = below(place, inner)
        increase(unpublished, `${path} (${rule})`)
        metrics.unpublished.inc({ flow, path, rule })
      }
    }

    const tryTo = <Schema extends z.ZodType>(contract: Schema, value: unknown, options: ReadOptions = {}) => {
      const { place = '', parts = (whole: unknown) => whole } = options
      const read = reading(contract, value)
      if ('error' in read) return read
      collect(read.lenient, place)
      if (counts)
        tellDropped(
          flow,
          droppedFields(parts(read.given), read.data).map((path) => below(place, path)),
        )
      return read
    }

    return {
      try: tryTo,
      read(contract, value, options) {
        const read = tryTo(contract, value, options)
        if ('data' in read) return read.data
        throw brokenContract(faultsOf(read.error))
      },
      readRow(contract, values) {
        const read = reading(contract, values)
        if ('error' in read) throw new TielineError('contract-violation', never, faultsOf(read.error))
        collect(read.lenient)
        return read.data
      },
      leftOut(names) {
        if (counts) tellDropped(flow, names)
      },
      async tell() {
        for (const [what, places] of [['bent', bent] as const, ['unpublished', unpublished] as const]) {
          if (places.size === 0) continue
          const values = places.values().reduce((sum, count) => sum + count, 0)
          const paths = [...places.keys()].slice(0, pathsMax).join(', ')
          const more = Math.max(0, places.size - pathsMax)
          await note({ what, values, paths: more > 0 ? `${paths} and ${more} more` : paths })
          places.clear()
        }
      },
    }
  }
}

const below = (place: string, path: string) => (place === '' || path === '' ? place + path : `${place}.${path}`)

const increase = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)

/** Reads a whole message and tells at once. @throws TielineError as `read` does */
export async function readMessage<Schema extends z.ZodType>(
  reader: MessageReader,
  contract: Schema,
  payload: unknown,
  options?: ReadOptions,
): Promise<z.infer<Schema>> {
  const message = reader.read(contract, payload, options)
  await reader.tell()
  return message
}
