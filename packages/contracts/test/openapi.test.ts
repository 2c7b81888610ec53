import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { examples } from '../src/examples.ts'
import { failures } from '../src/failures.ts'
import { failuresPage } from '../src/failures-page.ts'
import { flows, inboundFlowIds } from '../src/flows.ts'
import { valueAt } from '../src/json-object.ts'
import { buildJsonSchemas } from '../src/json-schemas.ts'
import { buildOpenApi } from '../src/openapi.ts'

const document: unknown = JSON.parse(JSON.stringify(buildOpenApi()))
interface PathItem {
  parameters?: { $ref: string }[]
  post?: { operationId: string }
  get?: { operationId: string }
}
const paths = valueAt(document, 'paths') as Record<string, PathItem>

function* nodes(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Record<string, unknown>
  for (const item of Object.values(value)) yield* nodes(item)
}

const references = [...nodes(document)].map(({ $ref }) => $ref).filter((ref) => typeof ref === 'string')

describe('the description of the ingress', () => {
  test.each(inboundFlowIds)('has every path of %s', (id) => {
    const { paths: canonical, oicPaths } = flows[id]
    for (const path of canonical) expect(paths).toHaveProperty([path, 'post'])
    for (const { processId, uri } of oicPaths) {
      const root = '/ic/api/integration/{apiVersion}/flows/oracleutilities'
      expect(paths).toHaveProperty([`${root}/project/{project}/${processId}/{version}${uri}`, 'post'])
      expect(paths).toHaveProperty([`${root}/${processId}/{version}${uri}`, 'post'])
    }
  })

  test('resolves every reference and leaves no component unused', () => {
    for (const ref of references) expect(valueAt(document, ...ref.slice(2).split('/')), ref).toBeDefined()
    for (const kind of ['schemas', 'responses', 'parameters']) {
      for (const name of Object.keys(valueAt(document, 'components', kind) as object)) {
        expect(references).toContain(`#/components/${kind}/${name}`)
      }
    }
  })

  test('declares the parameters of each path and gives each operation its own id', () => {
    for (const [path, item] of Object.entries(paths)) {
      const declared = (item.parameters ?? []).map(({ $ref }) => $ref.split('/').pop())
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
    }
    const ids = Object.values(paths).map((item) => (item.post ?? item.get)?.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('refuses DERMS with problem documents and DACS with faults', () => {
    const shape = (path: string, status: string) => valueAt(paths, path, 'post', 'responses', status, '$ref')
    expect(shape('/derms/statusUpdate', '400')).toBe('#/components/responses/problem-400')
    expect(shape('/dacs/enroll', '503')).toBe('#/components/responses/fault-503')
  })

  test('asks for Basic or Bearer everywhere but for health', () => {
    expect(valueAt(document, 'security')).toEqual([{ basic: [] }, { bearer: [] }])
    expect(valueAt(paths, '/health/ready', 'get', 'security')).toEqual([])
  })

  test('is the same each time', () => expect(JSON.parse(JSON.stringify(buildOpenApi()))).toEqual(document))
})

describe('JSON Schemas', () => {
  test('take the golden examples that they show', () => {
    const schemas = Object.entries(buildJsonSchemas())
    expect(schemas.length).toBeGreaterThan(20)
    for (const [name, schema] of schemas) {
      const { examples: shown = [], ...rest } = schema as { examples?: unknown[] }
      const check = z.fromJSONSchema(rest)
      for (const example of shown) expect(check.safeParse(example).error, name).toBeUndefined()
    }
  })

  test('refuse what the contracts refuse', () => {
    const check = z.fromJSONSchema({ ...buildJsonSchemas()['enrollment-request.to-dacs'] })
    expect(check.safeParse({ ...examples['enrollment-request.to-dacs'], extra: 1 }).success).toBe(false)
    expect(check.safeParse({ ...examples['enrollment-request.to-dacs'], enrollmentSource: 'X' }).success).toBe(false)
  })
})

test('the page of failure codes has a section for each', () => {
  const page = failuresPage()
  for (const [code, { meaning, next }] of Object.entries(failures)) {
    expect(page).toContain(`\n## ${code}\n\n${meaning}\n\n**What to do:** ${next}\n`)
  }
})
