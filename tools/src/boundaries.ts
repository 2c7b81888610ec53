import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './generate.ts'

/** The one direction: what the sources of each part may import. A service never imports a service. */
const kit = ['contracts', 'runtime', 'lookups', 'journal', 'targets', 'worker-service']
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'packages/contracts': [],
  'packages/runtime': ['contracts'],
  'packages/lookups': ['contracts', 'runtime'],
  'packages/journal': ['contracts', 'runtime'],
  'packages/targets': ['contracts', 'runtime'],
  'packages/worker-service': ['contracts', 'runtime', 'lookups', 'journal', 'targets'],
  'packages/simulators': ['contracts'],
  'services/ingress': ['contracts', 'runtime', 'lookups', 'journal', 'worker-service'],
  'services/enrollment': kit,
  'services/events': kit,
  'services/device-score': kit,
  'services/notifier': kit,
  'services/console': kit,
  'services/agent': ['runtime', 'targets'],
  'services/gateway': ['runtime', 'worker-service'],
  'services/bill-provisioning': ['runtime', 'targets', 'worker-service'],
}

/** For tests, demo and bench alone: nothing above imports them, and they may import anything. */
const unbounded = ['packages/testkit', 'tools', 'tests']

/** Every import against the direction, and every part that the table does not know. */
export async function findBoundaryFaults(): Promise<string[]> {
  const parts = [...(await partsIn('packages')), ...(await partsIn('services'))]
  const unknown = parts.filter((part) => !(part in mayImport) && !unbounded.includes(part))
  const faults = await Promise.all(Object.entries(mayImport).map(([part, allowed]) => faultsOf(part, allowed)))
  return [...unknown.map((part) => `${part}: not in the table of boundaries`), ...faults.flat()]
}

async function faultsOf(part: string, allowed: readonly string[]): Promise<string[]> {
  const files = (await readdir(join(root, part, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'))
  const faults = files.map(async (file) => {
    const text = await readFile(join(root, part, 'src', file), 'utf8')
    return importsAgainst(text, part, allowed).map((name) => `${part}/src/${file} imports ${name}`)
  })
  return (await Promise.all(faults)).flat()
}

/** Parts of the workspace that a source text of `part` imports and may not. */
export function importsAgainst(text: string, part: string, allowed: readonly string[]): string[] {
  const imports = text.matchAll(
    /(?:from|import|import\()\s*'(?:@tieline\/([a-z-]+)|(?:\.\.\/)+(?:packages|services)\/([a-z-]+))/g,
  )
  const own = part.split('/')[1]
  return [...imports]
    .map(([, byName, byPath]) => byName ?? byPath ?? '')
    .filter((name) => name !== own && !allowed.includes(name))
}

const partsIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`)
