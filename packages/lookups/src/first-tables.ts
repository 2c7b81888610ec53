import { readdir, readFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { LookupName } from '@tieline/contracts/flows'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { checkRows } from './check-rows.ts'
import { readCsv } from './csv.ts'
import { readLookupName } from './lookup-name.ts'
import { type LookupRow, lookups } from './lookups.ts'

/** What a lookup starts with, and where that comes from. */
export interface FirstTable {
  readonly lookup: LookupName
  readonly rows: readonly LookupRow[]
  readonly why: string
}

/**
 * The first rows of lookups: from the directory's CSV file of that name, else the defaults.
 * @throws ConfigurationError with every fault of every file, also for a CSV file that is no lookup: a misspelled name would
 * silently leave its lookup at the defaults
 */
export async function readFirstTables(
  wanted: readonly LookupName[],
  directory: string | undefined,
  connections: ReadonlySet<string> | undefined,
): Promise<readonly FirstTable[]> {
  const faults: Error[] = []
  const files = new Map<LookupName, string>()
  for (const file of directory === undefined ? [] : await csvFiles(directory)) {
    const lookup = readLookupName(parse(file).name)
    if (lookup === undefined) faults.push(new Error(`${file}: no lookup has this name`))
    else if (files.has(lookup)) faults.push(new Error(`${file}: ${files.get(lookup)} is the same lookup`))
    else files.set(lookup, file)
  }

  const tables: FirstTable[] = []
  for (const lookup of wanted) {
    const file = files.get(lookup)
    if (directory === undefined || file === undefined) {
      tables.push({ lookup, rows: lookups[lookup].defaults, why: 'First start: defaults' })
      continue
    }
    try {
      const rows = readCsv(lookup, await readFile(join(directory, file), 'utf8'))
      tables.push({ lookup, rows: checkRows(lookup, rows, connections), why: `First start: ${file}` })
    } catch (error) {
      faults.push(new Error(`${file}: ${error instanceof Error ? error.message : 'unreadable'}`, { cause: error }))
    }
  }
  if (faults.length > 0) {
    const all = faults.map(({ message }) => message).join('; ')
    throw new ConfigurationError(`The first rows of lookups in ${directory} are refused: ${all}`, [])
  }
  return tables
}

async function csvFiles(directory: string): Promise<string[]> {
  const files = await readdir(directory).catch((error: unknown) => {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigurationError(`The directory ${directory} of lookups.directory cannot be read: ${why}`, [])
  })
  return files.filter((file) => parse(file).ext.toLowerCase() === '.csv').sort()
}
