import { startRun } from '@tieline/journal/transfers/runs'
import {
  isOpen,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type Schedule,
  type ScheduleStatus,
} from '@tieline/journal/transfers/schedules'
import { formatFiles } from '../message-view.ts'
import { formatTable } from '../table.ts'
import { formatAge, formatLocal } from '../times.ts'
import type { Tools } from '../tools.ts'
import { type Command, CommandFault, defineCommand, operatorOptions, operatorUsage, readOperator } from './command.ts'

const list = defineCommand({
  name: 'schedules list',
  usage: '[--json]',
  summary: 'The transfers of the installation file: when each runs next, and how its last run ended.',
  options: { json: { type: 'boolean' } },
  async run({ values, tools }) {
    const { deviceScore } = (await tools.settings()).installation
    const schedules = await listSchedules(await tools.journal(), deviceScore)
    if (values.json) return tools.print(JSON.stringify(schedules, null, 2))
    tools.print(schedules.length === 0 ? 'The installation file has no transfers.' : formatSchedules(schedules))
  },
})

const run = defineCommand({
  name: 'schedules run',
  usage: `<transfer> ${operatorUsage}`,
  summary: 'Starts a run now, paused or not.',
  options: operatorOptions,
  words: { min: 1, max: 1 },
  async run({ values, words: [name = ''], tools }) {
    const operator = readOperator(values)
    await start(tools, { transfer: await findTransfer(tools, name), ...operator })
  },
})

const retryFile = defineCommand({
  name: 'schedules retry-file',
  usage: `<transfer> <file> ${operatorUsage}`,
  summary: 'Sends one file again: takes the error prefix off its name and transfers it alone.',
  options: operatorOptions,
  words: { min: 2, max: 2 },
  async run({ values, words: [name = '', file = ''], tools }) {
    const operator = readOperator(values)
    const transfer = await findTransfer(tools, name)
    const prefix = (await tools.lookups()).snapshot().configProps['dacs.prefixtag.filenotuploaded']
    const plain = file.startsWith(prefix) ? file.slice(prefix.length) : file
    await start(tools, { transfer, file: plain, ...operator })
  },
})

const pause = defineCommand({
  name: 'schedules pause',
  usage: `<transfer> ${operatorUsage}`,
  summary: 'No run begins by itself any more; one that is going on ends as usual.',
  options: operatorOptions,
  words: { min: 1, max: 1 },
  async run({ values, words: [name = ''], tools }) {
    const operator = readOperator(values)
    await pauseSchedule(await tools.journal(), await findTransfer(tools, name), operator)
    tools.print(`${name} is paused.`)
  },
})

const resume = defineCommand({
  name: 'schedules resume',
  usage: `<transfer> ${operatorUsage}`,
  summary: 'Lets a paused transfer run at its times again. What was missed meanwhile is not made up for.',
  options: operatorOptions,
  words: { min: 1, max: 1 },
  async run({ values, words: [name = ''], tools }) {
    const operator = readOperator(values)
    const journal = await tools.journal()
    const { deviceScore } = (await tools.settings()).installation
    await resumeSchedule(journal, await findTransfer(tools, name), operator, deviceScore)
    const [status] = await listSchedules(journal, [await findTransfer(tools, name)])
    tools.print(`${name} runs next at ${status?.nextAt === undefined ? 'no time' : formatLocal(status.nextAt)}.`)
  },
})

/** @throws CommandFault while a run is going on */
async function start(tools: Tools, wish: Parameters<typeof startRun>[1]): Promise<void> {
  const answer = await startRun(await tools.journal(), wish)
  const { name } = wish.transfer
  if (answer.kind === 'busy') {
    const age = formatAge(Date.now() - answer.since)
    throw new CommandFault(
      `A run of ${name} has been going on for ${age}: nothing was started. See messages show ${answer.key}`,
    )
  }
  tools.print(`A run of ${name} starts: messages show ${answer.key}`)
}

async function findTransfer(tools: Tools, name: string): Promise<Schedule & { readonly target: string }> {
  const { deviceScore } = (await tools.settings()).installation
  const found = deviceScore.find((transfer) => transfer.name === name)
  if (found) return found
  const known = deviceScore.map((transfer) => transfer.name).join(', ') || 'none'
  throw new CommandFault(`The installation file has no transfer ${name}; there are: ${known}`)
}

const formatSchedules = (schedules: readonly (ScheduleStatus & { readonly target: string })[]): string =>
  formatTable(
    ['transfer', 'from', 'to', 'schedule', 'state', 'next run (local time)', 'last run (local time)', 'files'],
    schedules.map(({ name, source, target, schedule, timezone, nextAt, lastRun, ...status }) => [
      name,
      source,
      target,
      `${schedule} ${timezone}`,
      formatState(status),
      nextAt === undefined ? '' : formatLocal(nextAt),
      lastRun === undefined ? 'none' : `${formatLocal(lastRun.at)} ${formatEnd(lastRun)}`,
      lastRun?.files === undefined ? '' : formatFiles(lastRun.files),
    ]),
  )

/** Without its schedule set: no device-score service has read this installation file yet. */
const formatState = ({ state, paused }: Pick<ScheduleStatus, 'state' | 'paused'>): string =>
  paused === undefined ? state : `paused by ${paused.who}: ${paused.why}`

const formatEnd = ({ state, code }: NonNullable<ScheduleStatus['lastRun']>): string =>
  isOpen(state) ? 'going on' : `${state}${code === undefined ? '' : ` ${code}`}`

export const scheduleCommands: readonly Command[] = [list, run, retryFile, pause, resume]
