import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

const shown = 12

/** @returns for each profile of a directory, where its process spent the time in which it was not idle */
export async function describeProfiles(directory: string): Promise<string> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.cpuprofile')).sort()
  const described = files.map(async (file) => describe(file, JSON.parse(await readFile(join(directory, file), 'utf8'))))
  return (await Promise.all(described)).join('\n\n')
}

function describe(file: string, { nodes, samples, timeDeltas }: Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const places = new Map<string, number>()
  let busyUs = 0
  for (const [i, sample] of samples.entries()) {
    const frame = frames.get(sample)
    const us = timeDeltas[i] ?? 0
    if (frame === undefined || frame.functionName === '(idle)') continue
    busyUs += us
    const place = placeOf(frame)
    add(functions, `${frame.functionName || '(anonymous)'} ${place}:${frame.lineNumber + 1}`, us)
    add(places, frame.url === '' ? frame.functionName : place, us)
  }
  const most = (of: ReadonlyMap<string, number>) =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, shown)
      .map(([name, us]) => `${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${name}`)
  const seconds = (busyUs / 1_000_000).toFixed(1)
  return [`${file}: busy for ${seconds} s, by function`, ...most(functions), 'and by place', ...most(places)].join('\n')
}

const add = (sums: Map<string, number>, name: string, us: number) => sums.set(name, (sums.get(name) ?? 0) + us)

/** A package of others by its name, a file of ours by its path. */
function placeOf({ url }: Frame): string {
  const [, library] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
  const [, own] = /((?:packages|services)\/[^/]+\/src\/.*)$/.exec(url) ?? []
  return library ?? own ?? url
}
