import { flowSpec } from '@tieline/contracts/flows'
import { type FileLists, type Notice, namedMax } from '@tieline/contracts/notice'
import type { Attempt, Settlement } from '@tieline/journal/types'
import type { TielineError } from '@tieline/runtime/error'
import { errorNotice } from '@tieline/worker-service/endings'
import type { Fate } from './ledger.ts'

type About = Pick<Attempt, 'flow' | 'key' | 'number' | 'id'>

/** What became of the files of a run. */
export interface Report {
  readonly fates: readonly Fate[]
  /** Names of files that were not touched. */
  readonly left: readonly string[]
  /** Why they were not, when it lies with the target. */
  readonly down?: TielineError
}

/** The e-mail about one file that did not go through. */
export function fileNotice(attempt: About, file: string, error: TielineError, nowMs: number): Notice {
  const next =
    error.code === 'file-name-refused'
      ? 'It was left as it is and is told of at every run, until it has another name or lies there itself.'
      : `It bears the error prefix now and is not sent again by itself. When the cause is mended: tieline schedules retry-file ${attempt.id} ${quoted(file)} --reason '…'`
  return { ...errorNotice({ attempt, error, next, nowMs }), file }
}

/** For a shell: names come from outside. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

export const noFileNotice = (attempt: About, prefix: string, source: string, nowMs: number): Notice => ({
  kind: 'no-file',
  flow: attempt.flow,
  messageKey: attempt.key,
  code: 'no-file',
  summary: `Transfer ${attempt.id} found no file whose name begins with ${prefix} at ${source}`,
  occurredAt: new Date(nowMs).toISOString(),
  next: 'The next run looks again.',
})

/** So many files of a run can be found by their names. */
const searchableMax = 1_000

/** How a run ends whose files were all looked at. */
export function settlementOf(attempt: About, report: Report, nowMs: number): Settlement {
  const { down } = report
  const files = listsOf(report)
  const told = { files: files.totals, terms: report.fates.slice(0, searchableMax).map(({ name }) => name) }
  if (down) {
    const error = errorNotice({ attempt, error: down, next: next.left, state: 'dead', nowMs })
    const notices = [error, completionNotice(attempt, files, down.code, nowMs)]
    return { ...told, state: 'dead', outcome: 'FAILURE', code: down.code, reason: down.message, notices }
  }
  if (files.totals.failed > 0) {
    const code = 'files-not-transferred'
    return {
      ...told,
      state: 'refused',
      outcome: 'ERROR',
      code,
      reason: `${files.totals.failed} of ${report.fates.length} files did not go through`,
      notices: [completionNotice(attempt, files, code, nowMs)],
    }
  }
  return {
    ...told,
    state: 'succeeded',
    outcome: 'SUCCESS',
    notices: [completionNotice(attempt, files, 'completed', nowMs)],
  }
}

/** How a run ends that met an error of its own, such as a source that is away. */
export function settlementOfFailure(
  attempt: About,
  error: TielineError,
  fates: readonly Fate[],
  nowMs: number,
): Settlement {
  const files = listsOf({ fates, left: [] })
  const done = fates.length > 0
  return {
    state: 'dead',
    outcome: 'FAILURE',
    code: error.code,
    files: files.totals,
    notices: [
      errorNotice({ attempt, error, next: next.left, state: 'dead', nowMs }),
      ...(done ? [completionNotice(attempt, files, error.code, nowMs)] : []),
    ],
  }
}

const next = {
  left: 'What was not transferred is at the source as it was: the next run takes it. You can also run it again yourself.',
  kept: 'What was not transferred is at the source as it was: the next run takes it. The administrators have an e-mail about it.',
  failed:
    'Files with the error prefix are not sent again by themselves; there is an e-mail about each. The next run takes what is left.',
  done: 'Nothing more happens until the next run.',
} as const

function completionNotice(attempt: About, files: FileLists, code: string, nowMs: number): Notice {
  const { sent, failed, left } = files.totals
  return {
    kind: 'process-complete',
    flow: attempt.flow,
    messageKey: attempt.key,
    code,
    summary: `${flowSpec(attempt.flow).title} ${attempt.id}: ${sent} of ${sent + failed + left} files are in DERMS`,
    attempts: attempt.number,
    occurredAt: new Date(nowMs).toISOString(),
    next: failed > 0 ? next.failed : code === 'completed' ? next.done : next.kept,
    files,
  }
}

function listsOf({ fates, left }: Report): FileLists {
  const sent = fates.filter(({ became }) => became === 'sent')
  const failed = fates.filter(({ became }) => became !== 'sent')
  const named = (some: readonly Fate[]) => some.slice(0, namedMax).map(wordFate)
  return {
    sent: named(sent),
    failed: named(failed),
    left: left.slice(0, namedMax),
    totals: { sent: sent.length, failed: failed.length, left: left.length },
  }
}

const wordFate = ({ name, code, movedTo }: Fate): string =>
  `${name}${code === undefined ? '' : `: ${code}`}${movedTo === undefined ? '' : `, now ${movedTo}`}`
