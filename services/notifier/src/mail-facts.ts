import { failures } from '@tieline/contracts/failures'
import { flowSpec, isFlowId } from '@tieline/contracts/flows'
import type { Digest, FileLists, Notice } from '@tieline/contracts/notice'
import type { RowTotals } from '@tieline/contracts/row-totals'
import { downConnection } from './down.ts'
import { type Fact, oneLine } from './mail-layout.ts'

/**
 * What an e-mail tells, in the order in which somebody needs it; what is not known is left out.
 * @param joins whether e-mails of a kind are joined
 */
export function factsOf(notice: Notice, { joins }: { readonly joins: boolean }): Fact[][] {
  const { kind, flow, connection, httpStatus, details, attempts, event, file, rows, files, digest, messageKey } = notice
  const { code, cause = code, trying, client, refusal } = notice
  const down = downConnection(notice)
  const isOfAllFlows = kind === 'recovered' || kind === 'expiring' || code === 'connection-down'
  const failure = Object.entries(failures).find(([known]) => known === toldCode(notice))?.[1]
  const since = digest ? digest.first : notice.since
  const paragraphs: (Fact | false | undefined)[][] = [
    [
      down !== undefined && ['What failed', notice.summary],
      ['What happens next', notice.next],
      down !== undefined &&
        joins && [
          'What else fails',
          `Failures at ${down}, of any flow, come together in one mail from now on; another says when it works again.`,
        ],
    ],
    [
      !isOfAllFlows && ['Flow', flowNames(flow).full],
      ['When', timeOf(notice.occurredAt)],
      since !== undefined && [sinceLabels[kind], timeOf(since)],
      client !== undefined && ['Client', client],
      connection !== undefined && ['Connection', connection],
      httpStatus !== undefined && ['HTTP status', String(httpStatus)],
      details !== undefined && ['It said', details],
      attempts !== undefined && ['Attempts', String(attempts)],
      trying && ['Tried again', timeOf(trying.again)],
      trying && ['Tried until', timeOf(trying.until)],
      event !== undefined && ['Event', event],
      file !== undefined && ['File', file],
      rows && ['Rows', wordRows(rows)],
      messageKey !== undefined && !digest && ['Message', messageKey],
      refusal !== undefined && ['Refusal', refusal],
    ],
    [
      (failure !== undefined || kind === 'error') && ['Code', cause === code ? code : `${code}, ${cause}`],
      failure && ['What it means', failure.meaning],
      failure && ['What to do', failure.next],
    ],
    files ? wordFiles(files) : [],
    digest ? (digest.flows ? wordFlows(digest, digest.flows) : wordDigest(notice, digest)) : [],
  ]
  return paragraphs.map((facts) =>
    facts
      .filter((fact) => fact !== undefined && fact !== false)
      .map(([label, text]): Fact => [label, typeof text === 'string' ? oneLine(text) : text.map(oneLine)]),
  )
}

/** The code whose meaning helps: that of a message that is still tried is what makes it fail. */
export const toldCode = ({ code, cause }: Pick<Notice, 'code' | 'cause'>): string =>
  code === 'still-failing' ? (cause ?? code) : code

export function flowNames(id: string): { readonly code: string; readonly short: string; readonly full: string } {
  if (!isFlowId(id)) return { code: oneLine(id), short: oneLine(id), full: id }
  const { code, title, caller, target } = flowSpec(id)
  return { code, short: `${code} ${title}`, full: `${code} ${title}, ${caller} to ${target}` }
}

const sinceLabels = {
  error: 'Failing since',
  recovered: 'Down since',
  'process-complete': 'The first at',
  'no-file': 'Since',
  expiring: 'Since',
} as const satisfies Record<Notice['kind'], string>

const timeOf = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`

const wordRows = ({ read, confirmed, refused, unknown, notSent }: RowTotals): string =>
  [
    `${read} read`,
    `${confirmed} confirmed`,
    ...(refused > 0 ? [`${refused} refused or left out`] : []),
    ...(unknown > 0 ? [`${unknown} of unknown outcome`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
  ].join(', ')

const wordFiles = ({ sent, failed, left, totals }: FileLists): Fact[] =>
  (
    [
      ['Not transferred', failed, totals.failed],
      ['Left for the next run', left, totals.left],
      ['Sent', sent, totals.sent],
    ] as const
  ).flatMap(([label, names, total]) => (total === 0 ? [] : [[`${label} (${total})`, listOf(names, total)] as const]))

/** What all of them have in common is told once. */
function wordDigest({ kind, flow }: Notice, { named, count }: Digest): Fact[] {
  const label = `${kind === 'process-complete' ? 'Files' : 'Failures'} (${count})`
  const told = named.map((entry) => wordsOf(flow, entry))
  const same = new Set(told).size === 1 ? told.slice(0, 1) : []
  const list = named.map(
    (entry, i) => `${[timeOf(entry.occurredAt), ...namesOf(entry)].join(', ')}${same.length > 0 ? '' : `: ${told[i]}`}`,
  )
  return [...same.map((words): Fact => ['Each of them', words]), [label, listOf(list, count)]]
}

/** A list for each flow: what happens next with its messages, then those that are named. */
const wordFlows = ({ named }: Digest, flows: NonNullable<Digest['flows']>): Fact[] =>
  Object.entries(flows).map(([flow, count]) => {
    const entries = named.filter((entry) => entry.flow === flow)
    const next = [...new Set(entries.flatMap((entry) => entry.next ?? []))].map(
      (words) => `What happens next: ${words}`,
    )
    const list = entries.map(
      (entry) => `${[timeOf(entry.occurredAt), ...namesOf(entry)].join(', ')}: ${wordsOf(flow, entry)}`,
    )
    return [`${flowNames(flow).short} (${count})`, [...next, ...listOf(list, count)]]
  })

const wordsOf = (flow: string, { summary, details }: Digest['named'][number]): string =>
  `${withoutTitle(flow, summary)}${details === undefined ? '' : ` It said: ${details}`}`

const namesOf = ({ messageKey, file, refusal }: Digest['named'][number]): string[] =>
  [messageKey, file, refusal].filter((name) => name !== undefined)

/** The flow is told already, for all of them. */
function withoutTitle(flow: string, summary: string): string {
  const title = isFlowId(flow) ? `${flowSpec(flow).title}: ` : ''
  return summary.startsWith(title) ? summary.slice(title.length) : summary
}

const listOf = (items: readonly string[], total: number): readonly string[] =>
  total > items.length ? [...items, `and ${total - items.length} more`] : items
