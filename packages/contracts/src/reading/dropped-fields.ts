import { isJsonObject } from '../json-object.ts'
import { formatPath } from './reading.ts'

/**
 * Fields of a message that its contract leaves out, by paths without indexes, each path once. What is passed on unread holds none.
 * @param given what the contract was applied to
 * @param read what came out
 */
export function droppedFields(given: unknown, read: unknown): string[] {
  const paths = new Set<string>()
  collect(given, read, [], paths)
  return [...paths]
}

/** So many different paths of one message are told. */
const pathsMax = 50

/** @param path the way to here; the same list all the time, as every message comes by here */
function collect(given: unknown, read: unknown, path: PropertyKey[], paths: Set<string>): void {
  if (given === read || paths.size >= pathsMax) return
  if (Array.isArray(given) && Array.isArray(read)) {
    for (let index = 0; index < given.length; index++) {
      path.push(index)
      collect(given[index], read[index], path, paths)
      path.pop()
    }
  } else if (isJsonObject(given) && isJsonObject(read)) {
    for (const name of Object.keys(given)) {
      path.push(name)
      if (Object.hasOwn(read, name)) collect(given[name], read[name], path, paths)
      else paths.add(formatPath(path))
      path.pop()
    }
  }
}
