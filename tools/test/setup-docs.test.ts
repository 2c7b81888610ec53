import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { runCommandLine } from '@tieline/console/command-line'
import { formatEndpoint } from '@tieline/console/commands/endpoints'
import { flowSpec, inboundFlowIds, isFileFlow } from '@tieline/contracts/flows'
import { findFlow } from '@tieline/ingress/routes'
import { configProps } from '@tieline/lookups/config-props'
import { emailId } from '@tieline/lookups/email-id'
import { lookupNames, oicLookupName } from '@tieline/lookups/lookup-name'
import { parseInstallation } from '@tieline/runtime/installation'
import { dacsOperations } from '@tieline/targets/dacs'
import { dermsOperations } from '@tieline/targets/derms'
import { startPipeline } from '@tieline/testkit/pipeline'
import { describe, expect, inject, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { findBrokenLinks } from '../src/doc-links.ts'
import { root } from '../src/generate.ts'

const pages = ['docs/setup-dacs.md', 'docs/setup-derms.md'] as const
const read = (page: string) => readFileSync(join(root, page), 'utf8')
const both = pages.map(read).join('\n')
const base = 'https://tieline.example'

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found)
const fences = (text: string, language: string) =>
  matches(text, new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))
/** What stands in code marks and in blocks: values to enter, commands, names. */
const code = [...fences(both, '\\w+'), ...matches(both.replaceAll(/^```.*?^```$/gms, ''), /`([^`\n]+)`/g)]
const urls = [...new Set(matches(both, /(https:\/\/tieline\.example\/[\w./-]+)/g))]

describe('the setup guides name', () => {
  it.each(inboundFlowIds)('every URL of %s, and where it is entered', (flow) => {
    const { code: number, caller, paths, oicPaths } = flowSpec(flow)
    const page = read(caller === 'DACS' ? pages[0] : pages[1])
    for (const path of paths) expect(page).toContain(`${base}${path}\n`)
    for (const { processId, uri } of oicPaths) expect(page).toContain(`/${processId}/1.0${uri}\n`)
    const printed = formatEndpoint(flow, base)
    for (const url of matches(printed, /(https:\S+)/g)) expect(urls).toContain(url)
    const [entry] = matches(printed, /(OIC_\w+|X1-\w+)/g)
    expect(page).toContain(`\`${entry}\``)
    expect(page).toMatch(new RegExp(`\\b${number}\\b`))
  })

  it('no URL of the ingress that it does not serve', () => {
    const loop = `${base}/derms/`
    const tried = matches(both, /^for path in (.+); do$/gm).flatMap((paths) => paths.split(' '))
    const served = [...urls.filter((url) => url !== loop), ...tried.map((path) => `${loop}${path}`)]
    expect(served.filter((url) => findFlow(url.slice(base.length)) === undefined)).toEqual([])
    expect(tried).toHaveLength(inboundFlowIds.filter((flow) => flowSpec(flow).caller === 'DERMS').length)
  })

  it.each(Object.entries({ ...dacsOperations, ...dermsOperations }))(
    'the operation %s with its call',
    (name, { method, path }) => {
      expect(code).toContain(name)
      expect(code).toContain(`${method} ${path}`)
    },
  )

  it.each(lookupNames)('the lookup %s', (lookup) => expect(code).toContain(oicLookupName(lookup)))

  it.each(Object.keys(configProps.shape))('the property %s of ConfigProps', (name) => expect(code).toContain(name))

  it.each(Object.keys(emailId.shape))('the property %s of Email_ID', (name) => {
    expect(both).toContain(`tieline lookups set Email_ID ${name} `)
  })
})

it('what no document publishes is configured: the setup guides send nobody into the sources', () => {
  expect(matches(both, /(\/src\/|[\w-]+\.ts\b|\bsource files?\b)/g)).toEqual([])
})

describe('what the setup guides say to type', () => {
  it('is a command that exists, with options that it has', async () => {
    const usages = matches(await tieline('help'), /^ {2}pnpm tieline (.+)$/gm)
    const typed = code.flatMap((text) => matches(text, /(?:^|[ (])tieline ([^#\n]+)/gm))
    expect(typed.length).toBeGreaterThan(20)
    for (const line of typed) {
      const usage = usages.find((usage) => `${line} `.startsWith(`${nameIn(usage)} `))
      expect(usage, line).toBeDefined()
      for (const option of matches(line, / (--[a-z-]+)/g)) expect(usage, line).toContain(option)
    }
  })

  it('is an installation without faults', () => {
    const blocks = fences(both, 'yaml').map((block): Section => parse(block))
    const text = stringify(blocks.reduce((whole, block) => merged(whole, block)))
    const variables = Object.fromEntries(matches(text, /\$\{(\w+)\}/g).map((name) => [name, 'secret']))
    const { connections, ingress, deviceScore } = parseInstallation(text, variables, root)
    expect(Object.keys(connections)).toEqual(['DACS_MAIN', 'DACS_FILES', 'DACS_BUCKET', 'DERMS_SITE1'])
    expect(ingress.clients.flatMap(({ flows }) => flows).sort()).toEqual([...inboundFlowIds].sort())
    expect(deviceScore).toHaveLength(2)
  })

  it('is a key of the installation file that is described', () => {
    const described = new Set(matches(read('docs/configuration.md'), /^\| `([^`]+)` \|/gm))
    const keys = code.filter((text) =>
      /^(?:ingress|connections|deviceScore|compat|flows|lookups)\.[\w.<>[\]]+$/.test(text),
    )
    expect(keys.length).toBeGreaterThan(10)
    const known = (key: string) => described.has(key) || flowSettings.test(key)
    expect(keys.filter((key) => !known(key))).toEqual([])
  })
})

/** The name of a command, which its usage begins with. */
const nameIn = (usage: string) => /^[a-z-]+(?: [a-z][a-z-]*)*/.exec(usage)?.[0] ?? ''

/** Stands for the setting of any flow. */
const flowSettings = /^flows\.<flow>\.(?:replyWithinS|retryForS|alarmAfterS|segmentRows)$/

describe('links in the setup guides', () => {
  it('lead to files that are there', async () => {
    const broken = await findBrokenLinks()
    expect(broken.filter((line) => pages.some((page) => line.startsWith(page)))).toEqual([])
  })

  it.each(pages)('of %s lead to headings that are there', (page) => {
    for (const link of matches(read(page), /\]\(([^)\s]*#[^)\s]+)\)/g)) {
      const [file = '', heading = ''] = link.split('#')
      const target = file === '' ? page : join(dirname(page), file)
      expect(matches(read(target), /^#+ (.+)$/gm).map(anchorOf), link).toContain(heading)
    }
  })
})

it('a message without a body shows path, login and right, as the setup guides promise, and leaves nothing', async () => {
  await using pipeline = await startPipeline({ redisUrl: inject('redisUrl'), services: [] })
  for (const flow of inboundFlowIds) {
    const wrong = { authorization: `Basic ${Buffer.from('derms:wrong').toString('base64')}` }
    const { status, body } = await pipeline.post(flow, '')
    expect(status, flow).toBe(isFileFlow(flow) ? 415 : 400)
    expect(JSON.stringify(body)).toContain(isFileFlow(flow) ? 'unsupported-media-type' : 'malformed-body')
    expect(await pipeline.post(flow, '', { headers: wrong })).toMatchObject({ status: 401 })
    expect(await pipeline.post(flow, '', { path: `${flowSpec(flow).paths[0]}s` })).toMatchObject({ status: 404 })
  }
  expect(await pipeline.messages()).toEqual([])
})

async function tieline(...args: string[]): Promise<string> {
  let out = ''
  const terminal = { env: {}, stdin: Readable.from([]), stdout: { write: (text: string) => (out += text) } }
  await runCommandLine(args, { ...terminal, stderr: terminal.stdout })
  return out
}

/** As GitHub names the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

type Section = Readonly<Record<string, unknown>>

/** Blocks of one file that stand in different places: maps are joined key by key, lists are put together. */
function merged(one: Section, other: Section): Section {
  const both = { ...one, ...other }
  const joined = Object.keys(both).map((key) => [key, key in one ? joinedValue(one[key], both[key]) : both[key]])
  return Object.fromEntries(joined)
}

function joinedValue(one: unknown, other: unknown): unknown {
  if (one === other) return one
  if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other]
  return isSection(one) && isSection(other) ? merged(one, other) : other
}

const isSection = (value: unknown): value is Section => typeof value === 'object' && value !== null
