/** `{bill_id}`, or a part of it: `{bill_id:offset}`, `{bill_id:offset:length}`. A negative offset counts from the end. */
const part = /\{bill_id(?::(-?\d{1,2})(?::([1-9]\d?))?)?\}/g

/** The whole id must be in it, else two bills would have one name; and braces say nothing else. */
export const isBillNamePattern = (pattern: string): boolean =>
  pattern.includes('{bill_id}') && !/[{}]/.test(pattern.replaceAll(part, ''))

/** The path of a bill; undefined when the id is too short for a part of it. */
export function billNameOf(pattern: string, id: string): string | undefined {
  let complete = true
  const name = pattern.replaceAll(part, (_, offset?: string, length?: string) => {
    const start = Number(offset ?? 0)
    const begin = start < 0 ? Math.max(0, id.length + start) : start
    const cut = id.slice(begin, length === undefined ? undefined : begin + Number(length))
    complete &&= cut !== ''
    return cut
  })
  return complete ? name : undefined
}
