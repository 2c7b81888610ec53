// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like template strings
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { configurationPage, installationJsonSchema } from '../src/installation-page.ts'

const yaml = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const minimal = yaml('minimal-installation.yaml')
const full = yaml('full-installation.yaml')
const example = yaml('../../../config/tieline.example.yaml')

describe('the generated papers', () => {
  it('accept, as JSON Schema, the minimal file and the example with its references, and refuse a typing error', () => {
    const schema = z.fromJSONSchema(installationJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
    expect(schema.safeParse(parse(minimal)).success).toBe(true)
    expect(schema.safeParse(parse(example)).success).toBe(true)
    expect(schema.safeParse(parse(full)).success).toBe(true)
    const referring = full.replace(/hostKey: ".*"/, 'hostKey: "${HOST_KEY}"')
    expect(referring).not.toBe(full)
    expect(schema.safeParse(parse(referring)).success).toBe(true)
    expect(schema.safeParse({ ...parse(minimal), ingres: {} }).success).toBe(false)
  })

  it('describe every key that a file can have', () => {
    const page = configurationPage()
    for (const key of ['REDIS_URL', 'ingress.clients[].credentials[].jwt.jwksFile', 'connections.<name>.hostKey']) {
      expect(page).toContain(`| \`${key}\` |`)
    }
    expect(undescribed(installationJsonSchema())).toEqual([])
  })
})

/** Keys with a plain value that have no description. */
function undescribed(schema: object, path = ''): string[] {
  const { properties = {}, ...rest } = schema as {
    properties?: Record<string, { description?: string; properties?: object }>
  }
  const own = Object.entries(properties).flatMap(([name, child]) => [
    ...(child.description === undefined && child.properties === undefined && name !== 'kind'
      ? [`${path}.${name}`]
      : []),
    ...undescribed(child, `${path}.${name}`),
  ])
  const below = Object.entries(rest).flatMap(([name, child]) =>
    typeof child === 'object' && child !== null && name !== 'propertyNames' && name !== 'default'
      ? undescribed(child, path)
      : [],
  )
  return [...own, ...below]
}
