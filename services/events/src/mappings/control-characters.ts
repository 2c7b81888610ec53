import { never, TielineError } from '@tieline/runtime/error'
import type { RowValues } from '../event-file.ts'

/**
 * Control characters are in no value of a row; in columns that hold `lines` of text only tabs and line ends are.
 * @throws TielineError `contract-violation` naming the column
 */
export function refuseControlCharacters(values: RowValues, lines: readonly string[] = []): void {
  for (const column in values) {
    const value = values[column] ?? ''
    if (!controlCharacter.test(value)) continue
    if (lines.includes(column) && !controlCharacter.test(value.replaceAll(/[\t\r\n]/g, ''))) continue
    throw new TielineError('contract-violation', never, `${column}: holds a control character`)
  }
}

const controlCharacter = /\p{Cc}/u
