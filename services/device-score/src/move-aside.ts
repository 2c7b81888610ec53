import { checkFileName, type FileSource, type SourceFile } from '@tieline/targets/file-source'

/**
 * Puts the prefix before the name of a file. Where something has that name already, the time is added to it: nothing is ever
 * overwritten.
 * @returns the new name; undefined when the file is not what was listed any more, so that it is another one now
 */
export async function moveAside(
  source: FileSource,
  file: SourceFile,
  prefix: string,
  nowMs: number,
): Promise<string | undefined> {
  for (const name of namesFor(file.name, prefix, nowMs)) {
    const renamed = await source.rename(file, name)
    if (renamed === 'renamed') return name
    if (renamed === 'changed') return undefined
  }
  return undefined
}

/** Why a file of this name could not be renamed; undefined when it could. */
export function checkPrefixed(name: string, prefixes: readonly string[], nowMs: number): string | undefined {
  const names = prefixes.flatMap((prefix) => [...namesFor(name, prefix, nowMs).take(3)])
  return [name, ...names].map(checkFileName).find((fault) => fault !== undefined)
}

/** `Sent-a.csv`, `Sent-a-20260101T050000Z.csv`, `Sent-a-20260101T050000Z-2.csv` and so on. */
function* namesFor(name: string, prefix: string, nowMs: number): Generator<string, never> {
  yield prefix + name
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  yield `${prefix}${stem}-${time}${extension}`
  for (let count = 2; ; count += 1) yield `${prefix}${stem}-${time}-${count}${extension}`
}
