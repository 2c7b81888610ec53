import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { failuresPage } from '@tieline/contracts/failures-page'
import { buildJsonSchemas } from '@tieline/contracts/json-schemas'
import { buildOpenApi } from '@tieline/contracts/openapi'
import { configurationPage, installationJsonSchema } from '@tieline/runtime/installation-page'
import { numbersChart, withNumbers } from './bench/numbers.ts'
import { dashboard } from './observe/dashboard.ts'
import { metricsPage } from './observe/metrics-page.ts'
import { recordPage, withTransitions } from './record-page.ts'

export const root = join(import.meta.dirname, '../..')

/** Only what is generated lives here, so what is not generated any more is removed. */
const ownedDirectories = ['packages/contracts/generated']

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Every generated file by its path from the root. */
function generatedFiles(): Map<string, string> {
  const schemas = Object.entries(buildJsonSchemas()).map(
    ([name, schema]) => [`packages/contracts/generated/schemas/${name}.json`, json(schema)] as const,
  )
  return new Map([
    ['packages/contracts/generated/openapi.json', json(buildOpenApi())],
    ...schemas,
    ['config/tieline.schema.json', json(installationJsonSchema())],
    ['docs/configuration.md', configurationPage()],
    ['docs/failures.md', failuresPage()],
    ['docs/metrics.md', metricsPage()],
    ['docs/record.md', recordPage()],
    ['ARCHITECTURE.md', withTransitions(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))],
    ['deploy/observe/dashboards/tieline.json', json(dashboard())],
    ['docs/numbers.svg', numbersChart(root)],
    ['README.md', withNumbers(readFileSync(join(root, 'README.md'), 'utf8'), root)],
  ])
}

/** Paths of generated files that are missing, differ, or should not be there. */
export async function findDrift(): Promise<string[]> {
  const files = generatedFiles()
  const stale = [...files].map(async ([path, text]) => ((await readIfThere(path)) === text ? [] : [path]))
  const surplus = (await listOwned()).filter((path) => !files.has(path))
  return [...(await Promise.all(stale)).flat(), ...surplus].sort()
}

async function generate(): Promise<void> {
  const files = generatedFiles()
  for (const path of await findDrift()) if (!files.has(path)) await rm(join(root, path), { force: true })
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

const readIfThere = (path: string) => readFile(join(root, path), 'utf8').catch(() => undefined)

async function listOwned(): Promise<string[]> {
  const listings = ownedDirectories.map(async (directory) => {
    const entries = await readdir(join(root, directory), { recursive: true, withFileTypes: true }).catch(() => [])
    return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)))
  })
  return (await Promise.all(listings)).flat()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await generate()
