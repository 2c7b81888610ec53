import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  effectFields,
  fieldsOf,
  keys,
  recordFields,
  type ScriptName,
  scripts,
  settledStates,
  ticketStates,
} from '../schema.ts'

/** Functions that scripts share, in the order in which they use each other. */
const library = [
  'kernel/lua/library/record',
  'mail/lua/library/connections',
  'kernel/lua/library/lines',
  'kernel/lua/library/effects',
  'kernel/lua/library/attempts',
  'kernel/lua/library/generations',
]

export interface Script {
  readonly text: string
  readonly sha: string
}

/** Each script with what it uses of header and library. @param constants how long things are kept, in milliseconds */
export function buildScripts(constants: Readonly<Record<string, number>>): ReadonlyMap<ScriptName, Script> {
  const shared = partsOf([header(constants), ...library.map(source)].join('\n'))
  return new Map(
    (Object.keys(scripts) as ScriptName[]).map((name) => {
      const own = withoutComments(source(`${scripts[name]}/lua/${name}`))
      const text = ['local base = KEYS[1]', 'local a = cjson.decode(ARGV[1])', ...used(shared, own), own].join('\n')
      return [name, { text, sha: createHash('sha1').update(text).digest('hex') }]
    }),
  )
}

const source = (path: string) => readFileSync(new URL(`../${path}.lua`, import.meta.url), 'utf8')

const withoutComments = (lua: string) => lua.replace(/^\s*--.*\n/gm, '')

/** What the schema says, in Lua. */
function header(constants: Readonly<Record<string, number>>): string {
  const list = (names: readonly string[]) => `{ ${names.map((name) => `'${name}'`).join(', ')} }`
  const set = (names: readonly string[]) => `{ ${names.map((name) => `${name} = true`).join(', ')} }`
  return [
    ...Object.entries(keys).map(([name, { pattern }]) => keyIn(name, pattern)),
    `local recordFields = ${set(Object.keys(recordFields))}`,
    `local settledStates = ${set(settledStates)}`,
    `local ticketStates = ${set(ticketStates)}`,
    `local effectFields = ${list(effectFields)}`,
    `local attemptFields = ${list(fieldsOf('attempt'))}`,
    `local runFields = ${list(fieldsOf('run', 'attempt'))}`,
    `local generationFields = ${list(fieldsOf('generation', 'run', 'attempt', 'operator'))}`,
    ...Object.entries(constants).map(([name, value]) => `local ${name} = ${value}`),
  ].join('\n')
}

/** `recordKey(key)`, or `openKey` where there is but one. */
function keyIn(name: string, pattern: string): string {
  const [first = '', ...rest] = pattern.split(/<(\w+)>/)
  const parts = rest.map((part, i) => (i % 2 === 0 ? part : `'${part}'`)).filter((part) => part !== "''")
  const path = [`base .. ':${first}'`, ...parts].join(' .. ')
  const names = rest.filter((_, i) => i % 2 === 0).join(', ')
  return names === '' ? `local ${name}Key = ${path}` : `local function ${name}Key(${names}) return ${path} end`
}

interface Part {
  readonly name: string
  readonly text: string
}

/** Cut before each `local` that begins a line. */
const partsOf = (lua: string): Part[] =>
  withoutComments(lua)
    .split(/^(?=local )/m)
    .map((text) => ({ text: text.trimEnd(), name: /^local (?:function )?(\w+)/.exec(text)?.[1] ?? '' }))

/** The parts that a script names, and those that they name, in their order. */
function used(parts: readonly Part[], own: string): string[] {
  const wanted = new Set<string>()
  const look = (text: string) => {
    const words = new Set(text.match(/\w+/g))
    for (const part of parts) {
      if (!words.has(part.name) || wanted.has(part.name)) continue
      wanted.add(part.name)
      look(part.text)
    }
  }
  look(own)
  return parts.filter(({ name }) => wanted.has(name)).map(({ text }) => text)
}
