import { readAudit } from '@tieline/journal/operations'
import { formatTable } from '../table.ts'
import { formatTime } from '../times.ts'
import { type Command, defineCommand } from './command.ts'
import { readFilter } from './filters.ts'

const list = defineCommand({
  name: 'audit list',
  usage: '[--limit <n>] [--json]',
  summary: 'Who did what to which message and why, the latest first; 50 unless --limit says otherwise.',
  options: { limit: { type: 'string', default: '50' }, json: { type: 'boolean' } },
  async run({ values, tools }) {
    const entries = await readAudit(await tools.journal(), readFilter({ limit: values.limit }).limit)
    if (values.json) return tools.print(JSON.stringify(entries, null, 2))
    const rows = entries.map(({ at, who, what, key, why }) => [formatTime(at), who, what, key, why])
    tools.print(formatTable(['at', 'who', 'what', 'message', 'why'], rows))
  },
})

export const auditCommands: readonly Command[] = [list]
