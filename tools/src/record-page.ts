import {
  type Feature,
  type Field,
  keys,
  openStates,
  type Place,
  recordFields,
  scripts,
  settledStates,
  type Transition,
  transitions,
} from '@tieline/journal/schema'

const begin = '<!-- transitions: generated from packages/journal/src/schema.ts -->'
const end = '<!-- end of transitions -->'

/** ARCHITECTURE.md with its diagram and its table of transitions written anew, between the two marks. */
export function withTransitions(page: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`No marks for transitions: ${begin} … ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${diagram()}\n\n${transitionTable()}\n\n${page.slice(to)}`
}

/** docs/record.md: all that the journal keeps, on one page. */
export const recordPage = (): string => `# What the journal keeps

For those who change the journal or look into Redis. Generated from \`packages/journal/src/schema.ts\`: the scripts get their keys, sets
of states and lists of fields from it, a script that sets a field which is not here fails, and a test compares what scripts do with
the table of transitions. How the format changes: [docs/redis.md](redis.md#formats).

## States and transitions

${diagram()}

${transitionTable()}

## The record

\`HGETALL {<installation>}:journal:m:<key>\`. Times are milliseconds since 1970, flags are \`1\`. A field lives as long as its scope:
\`identity\` as long as the message, \`content\` until its payload changes, \`generation\` until the next one begins, \`run\` until its
job is over, \`attempt\` until the attempt ends, \`operator\` until the generation begins that the operator meant.

${fieldTable()}

## Keys

All begin with \`{<installation>}:journal:\`. What the queues keep is BullMQ's: \`{<installation>}:<queue>:…\`.

${table(
  ['key', 'type', 'holds', 'until', 'part'],
  Object.values(keys).map((key) => [`\`${key.pattern}\``, key.type, key.holds, key.until, partOf(key)]),
)}

## Scripts

${table(
  ['part', 'scripts'],
  [...Map.groupBy(Object.entries(scripts), ([, part]) => part)].map(([part, own]) => [
    `\`packages/journal/src/${part}/lua\``,
    own.map(([name]) => name).join(', '),
  ]),
)}
`

const partOf = ({ feature }: { readonly feature?: Feature | undefined }) => feature ?? 'kernel'

function fieldTable(): string {
  const fields: readonly [string, Field][] = Object.entries(recordFields)
  return table(
    ['field', 'scope', 'there', 'holds', 'part'],
    fields.map(([name, field]) => [
      `\`${name}\``,
      field.scope,
      field.only ? `only ${field.only}` : field.always ? 'always' : '',
      field.holds,
      partOf(field),
    ]),
  )
}

const transitionTable = (): string =>
  table(
    ['script', 'from', 'to', 'when', 'begins anew', 'tells'],
    transitions.map(({ by, from, to, when, resets = [], emits = [], other }) => [
      by.join(', '),
      placesOf(from).join(', '),
      placesOf(to).join(', '),
      other ? `another message: ${when}` : when,
      resets.join(', '),
      emits.join(', '),
    ]),
  )

/** All open or all settled states by one word. */
function placesOf(places: readonly Place[]): string[] {
  const groups = { open: openStates, settled: settledStates } as const
  const whole = Object.entries(groups).filter(([, members]) => members.every((one) => places.includes(one)))
  const rest = places.filter((place) => !whole.some(([, members]) => members.some((one) => one === place)))
  return [...whole.map(([name]) => `any ${name}`), ...rest]
}

/** What happens to the message that a script is about. */
function diagram(): string {
  const edges = new Map<string, Set<string>>()
  const add = (from: string, to: string, { by }: Transition) => {
    const known = edges.get(`${from} --> ${to}`) ?? new Set()
    edges.set(`${from} --> ${to}`, new Set([...known, ...by]))
  }
  const nodeOf = (place: string) => (place === 'nothing' ? '[*]' : place.replace('any ', ''))
  for (const transition of transitions.filter(({ other }) => !other)) {
    for (const from of placesOf(transition.from)) {
      for (const to of transition.to) add(nodeOf(from), nodeOf(to), transition)
    }
  }
  const group = (name: string, members: readonly string[]) => [
    `  state ${name} {`,
    ...members.map((member) => `    ${member}`),
    '  }',
  ]
  const lines = [...edges].map(([edge, by]) => `  ${edge}: ${[...by].join(', ')}`)
  const groups = [...group('open', openStates), ...group('settled', settledStates)]
  return ['```mermaid', 'stateDiagram-v2', ...groups, ...lines, '```'].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
