import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { root } from '../src/generate.ts'

const texts = z.array(z.string())

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), args: z.record(z.string(), z.string()) }).optional(),
  command: texts.optional(),
  profiles: texts.default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.union([z.string(), z.object({ source: z.string(), target: z.string() })])).default([]),
  networks: texts.default(['default']),
  ports: texts.default([]),
  depends_on: z
    .record(z.string(), z.object({ condition: z.string(), required: z.boolean().default(true) }))
    .default({}),
  healthcheck: z.object({ test: texts }).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  read_only: z.boolean().default(false),
  init: z.boolean().default(false),
  container_name: z.string().optional(),
})

export type ComposeService = z.infer<typeof serviceSchema>

const readText = (path: string) => readFileSync(join(root, path), 'utf8')

/** With every variable at its default. Compose puts values in after it has read the file, so what they hold changes no structure. */
const readCompose = (): unknown =>
  JSON.parse(
    JSON.stringify(parse(readText('docker-compose.yml'), { merge: true })).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
  )

/** The Compose file as far as tests look at it. */
export const compose = z
  .object({
    services: z.record(z.string(), serviceSchema),
    networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(readCompose())

/** Those that run the image of Tieline's services. */
export const tielineServices = Object.entries(compose.services).filter(([, { image }]) => image === 'tieline')

const instructions = readText('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\s*\\\n\s*/g, ' ')
  .split('\n')

const last = (instruction: string): string => {
  const line = instructions.findLast((candidate) => candidate.startsWith(`${instruction} `))
  if (line === undefined) throw new Error(`The Dockerfile has no ${instruction}`)
  return line.slice(instruction.length + 1)
}

/** What the Dockerfile says of a container. */
export const image = {
  args: instructions.flatMap((line) => /^ARG (\w+)/.exec(line)?.[1] ?? []),
  environment: Object.fromEntries(
    last('ENV')
      .split(' ')
      .map((pair) => pair.split('=', 2) as [string, string]),
  ),
  entrypoint: texts.parse(JSON.parse(last('ENTRYPOINT'))),
  command: texts.parse(JSON.parse(last('CMD'))),
  healthCommand: texts.parse(JSON.parse(last('HEALTHCHECK').replace(/^.* CMD /, ''))),
  user: last('USER'),
  volume: last('VOLUME'),
} as const
