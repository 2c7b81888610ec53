import { z } from 'zod'
import { environmentSchema } from './environment.ts'
import { installationSchema } from './installation-schema.ts'

/** The JSON Schema of the installation file, for editors: it allows a reference wherever a text has a pattern. */
export function installationJsonSchema(): object {
  return { title: 'Tieline installation', ...schemaOf(installationSchema({ baseDir: '.', dataDir: './data' })) }
}

/** The Markdown of `docs/configuration.md`: every environment variable and every key of the installation file. */
export function configurationPage(): string {
  const environment = schemaOf(environmentSchema)
  const installation = schemaOf(installationSchema({ baseDir: '.', dataDir: './data' }))
  const sections = Object.entries(installation.properties ?? {}).map(([name, section]) =>
    [
      `### ${code(name)}`,
      `${section.description ?? ''}${installation.required?.includes(name) ? ' Required.' : ''}`,
      ...tables(rowsBelow(section, name)),
    ].join('\n\n'),
  )
  return [introduction, '## Environment', environmentText, ...tables(rowsBelow(environment, '')), fileText, ...sections]
    .join('\n\n')
    .concat('\n')
}

const introduction = `# Configuration

<!-- Generated from packages/runtime/src by \`pnpm generate\`. Change it there. -->

A process is told by its environment where it runs. Everything about an installation is in one YAML file, which all
services read. A fault in either is reported with every other fault, by path and rule, and the service does not start.`

const environmentText = 'An empty variable counts as not set.'

const fileText = `## Installation file

[\`config/tieline.example.yaml\`](../config/tieline.example.yaml) is a file to begin with; \`config/tieline.schema.json\` lets an editor check it.

- In any text, \`\${NAME}\` takes an environment variable and \`\${file:PATH}\` the content of a file, without its last line break. Both give text, never numbers, lists or further references.
- Relative file names begin at the folder of the installation file.
- Unknown keys are faults. A key below is required only where the part around it is given.`

/** The parts of JSON Schema that the schemas of this package use. */
interface JsonSchema {
  type?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  minimum?: number
  maximum?: number
  pattern?: string
  required?: string[]
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | false
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

interface Row {
  readonly key: string
  readonly type: string
  readonly usual: string
  readonly meaning: string
  /** The kinds of connection or store that have this key; empty when all have. */
  readonly kinds: readonly string[]
}

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      const isName = path.at(-1) === 'propertyNames'
      if (jsonSchema.pattern !== undefined && !isName) jsonSchema.pattern += '|\\$\\{'
    },
  }) as JsonSchema

/** A row for each described key below a schema, in its order; the same key of several kinds is joined into one row. */
function rowsBelow(schema: JsonSchema, above: string): Row[] {
  const rows = new Map<string, Row>()
  for (const row of allRowsBelow(schema, above, [])) {
    const id = [row.key, row.type, row.usual, row.meaning].join('\n')
    rows.set(id, { ...row, kinds: [...(rows.get(id)?.kinds ?? []), ...row.kinds] })
  }
  return [...rows.values()]
}

function allRowsBelow(schema: JsonSchema, above: string, kinds: readonly string[]): Row[] {
  const { properties = {}, required = [], additionalProperties, items } = schema
  const branches = schema.oneOf ?? schema.anyOf ?? []
  const kindRows = branches.some(isOfKind) ? [kindRow(branches, above)] : []
  return [
    ...Object.entries(properties).flatMap(([name, child]) => {
      const key = above === '' ? name : `${above}.${name}`
      const usual = required.includes(name) ? 'required' : usualOf(child)
      const own = { key, type: typeOf(child), usual, meaning: child.description ?? '', kinds }
      return [...(own.meaning === '' ? [] : [own]), ...allRowsBelow(child, key, kinds)]
    }),
    ...(additionalProperties ? allRowsBelow(additionalProperties, `${above}.<name>`, kinds) : []),
    ...(items === undefined ? [] : allRowsBelow(items, `${above}[]`, kinds)),
    ...kindRows,
    ...branches.flatMap((branch) => allRowsBelow(branch, above, isOfKind(branch) ? [kindOf(branch)] : kinds)),
  ]
}

const kindOf = (branch: JsonSchema): string => String(branch.properties?.kind?.const)
const isOfKind = (branch: JsonSchema): boolean => branch.properties?.kind?.const !== undefined

const kindRow = (branches: readonly JsonSchema[], above: string): Row => ({
  key: `${above}.kind`,
  type: branches.map((branch) => code(kindOf(branch))).join(', '),
  usual: 'required',
  meaning: 'Decides which of the keys below apply.',
  kinds: [],
})

function typeOf(schema: JsonSchema): string {
  const branches = schema.oneOf ?? schema.anyOf
  if (branches !== undefined) return [...new Set(branches.map(typeOf))].join(' or ')
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`
  if (schema.type === 'integer') return `whole number, ${schema.minimum} – ${schema.maximum}`
  return { object: 'map', boolean: 'true or false', string: 'text' }[schema.type ?? ''] ?? 'any'
}

/** The default as the file would say it; that of a map follows from its keys. */
function usualOf({ default: usual }: JsonSchema): string {
  if (usual === undefined) return '–'
  if (usual === '') return 'empty'
  return typeof usual === 'object' ? '–' : code(String(usual))
}

function tables(rows: readonly Row[]): string[] {
  if (rows.length === 0) return []
  const withKinds = rows.some(({ kinds }) => kinds.length > 0)
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const head = ['key', ...(withKinds ? ['kind'] : []), 'type', 'default', 'meaning']
  const body = rows.map(({ key, kinds, type, usual, meaning }) =>
    line([code(key), ...(withKinds ? [kinds.join(', ')] : []), type, usual, meaning]),
  )
  return [[line(head), line(head.map(() => '---')), ...body].join('\n')]
}

const code = (text: string): string => `\`${text}\``
