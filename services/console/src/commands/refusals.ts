import { failures } from '@tieline/contracts/failures'
import { flowSpec } from '@tieline/contracts/flows'
import {
  auditReveal,
  type KeptRefusal,
  readRefusals,
  readRefusedBody,
  refusalsNewestFirst,
} from '@tieline/journal/refusals/refusals'
import { firstOf } from '../first-of.ts'
import { formatFields, formatTable, printable } from '../table.ts'
import { formatLocal, formatTime } from '../times.ts'
import { type Command, CommandFault, defineCommand, operatorOptions, readOperator, UsageError } from './command.ts'
import { filterOptions, filterUsage, readFilter } from './filters.ts'

const list = defineCommand({
  name: 'refusals list',
  usage: `${filterUsage} [--limit <n>] [--json]`,
  summary:
    'Requests of known clients that were refused at the door within the last 7 days, the latest first; 50 unless --limit says otherwise.',
  options: { ...filterOptions, limit: { type: 'string', default: '50' }, json: { type: 'boolean' } },
  async run({ values, tools }) {
    const { limit = 50, ...filter } = readFilter(values)
    const refusals = await firstOf(refusalsNewestFirst(await tools.journal(), filter), limit)
    if (values.json) return tools.print(JSON.stringify(refusals, null, 2))
    tools.print(refusals.length === 0 ? 'No such refusals.' : formatRefusals(refusals))
    if (refusals.length === limit) tools.print(`These are the latest ${limit}; --limit shows more.`)
  },
})

const show = defineCommand({
  name: 'refusals show',
  usage: '<id> [--body --reason <why> [--who <name>]] [--json]',
  summary:
    'Why a request was refused: fields and rules, no values. --body shows how its body began, up to 64 KiB, and is audited.',
  options: { body: { type: 'boolean' }, json: { type: 'boolean' }, ...operatorOptions },
  words: { min: 1, max: 1 },
  async run({ values, words: [id = ''], tools }) {
    if (values.body && values.json) throw new UsageError('--body does not go with --json')
    const operator = values.body ? readOperator(values) : undefined
    const journal = await tools.journal()
    const [refusal] = await readRefusals(journal, [id])
    if (refusal === undefined) throw new CommandFault(`There is no refusal ${printable(id)}. They are kept for 7 days.`)
    tools.print(values.json ? JSON.stringify(refusal, null, 2) : formatRefusal(refusal))
    if (operator === undefined) return
    const body = await readRefusedBody(journal, id)
    if (body === undefined) throw new CommandFault('Nothing of its body is kept.')
    await auditReveal(journal, id, operator)
    // Line by line, because what would steer a terminal is replaced.
    tools.print(`\n${body.toString('utf8').replaceAll(/[^\t\n]+/g, printable)}`)
  },
})

const formatRefusals = (refusals: readonly KeptRefusal[]): string =>
  formatTable(
    ['id', 'flow', 'client', 'status', 'code', 'fields', 'ids', 'at (local time)'],
    refusals.map(({ id, flow, client, status, code, errors, ids, at }) => [
      id,
      flowSpec(flow).code,
      client,
      String(status),
      code,
      briefly(errors.map(({ path }) => path || '(the message)')),
      briefly(ids),
      formatLocal(at),
    ]),
  )

const namedMax = 2

const briefly = (names: readonly string[]): string =>
  [...names.slice(0, namedMax), ...(names.length > namedMax ? [`${names.length - namedMax} more`] : [])].join(', ')

function formatRefusal({ id, at, flow, client, status, code, detail, errors, ...names }: KeptRefusal): string {
  const fields = formatFields({
    refusal: id,
    flow: `${flowSpec(flow).code} ${flowSpec(flow).title}`,
    client,
    instance: names.instance,
    ids: names.ids.join(', '),
    at: formatTime(at),
    status: `HTTP ${status}`,
    code,
    detail,
    meaning: failures[code].meaning,
    next: failures[code].next,
    'content type': names.contentType,
  })
  if (errors.length === 0) return fields
  const rows = errors.map(({ path, rule }) => [path || '(the message)', rule])
  return `${fields}\n\n${formatTable(['field', 'rule'], rows)}`
}

export const refusalCommands: readonly Command[] = [list, show]
