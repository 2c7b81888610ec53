type Filled<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], null | undefined | ''> }

/**
 * The fields that say something: DACS gets no empty text, no null and no empty list. Undefined when none is left, so that
 * an empty object is not sent either.
 */
export function filled<Fields extends object>(fields: Fields): Filled<Fields> | undefined {
  const entries = Object.entries(fields).filter(([, value]) => !isNothing(value))
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Filled<Fields>)
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
