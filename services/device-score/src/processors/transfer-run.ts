import { setTimeout as delay } from 'node:timers/promises'
import { transferRun } from '@tieline/contracts/transfer-run'
import { reached, saysDown } from '@tieline/journal/mail/windows'
import { openRecords, type Records } from '@tieline/journal/transfers/recorded'
import type { Attempt, Processor } from '@tieline/journal/types'
import type { ConfigProps } from '@tieline/lookups/config-props'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError, never, TielineError } from '@tieline/runtime/error'
import type { DermsClient } from '@tieline/targets/derms'
import type { FileSource, SourceFile } from '@tieline/targets/file-source'
import { createScoreSources } from '@tieline/worker-service/open-score-source'
import { parsePayload } from '@tieline/worker-service/parse-payload'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import type { TransferSettings } from '../follow-transfers.ts'
import { type Fate, openLedger } from '../ledger.ts'
import { createTransferMetrics } from '../metrics.ts'
import { steadyFiles } from '../steady-files.ts'
import { noFileNotice, type Report, settlementOf, settlementOfFailure } from '../transfer-endings.ts'
import { type Transfer, transferFile } from '../transfer-file.ts'

/** Times that tests shorten. */
export interface TransferTuning {
  /** Between two looks at a file that may still be being written. */
  readonly lookAgainMs?: number
  /** How long a run waits for such files. */
  readonly steadyWithinMs?: number
  /** Between the two tries to send a file. */
  readonly againMs?: number
  /** How often the installation file is looked at. */
  readonly followMs?: number
  /** How long a source is held back after a refused login. */
  readonly pauseMs?: number | undefined
  /** Where it is kept what became of files. */
  readonly recordsOf?: (attempt: Attempt) => Records
}

interface Deps extends Pick<WorkerDeps, 'connections' | 'clock' | 'logger' | 'register'> {
  readonly transfers: () => TransferSettings
}

/** So many files that fail in a row because of the connection, and the others would only fail too. */
const downAfter = 3

/** F8: one run of a transfer. Each file is streamed to DERMS and renamed after what became of it. */
export function createTransferRunProcessor(
  { connections, clock, logger, register, transfers }: Deps,
  {
    lookAgainMs = 2_000,
    steadyWithinMs = 30 * 60_000,
    againMs = 2_000,
    pauseMs,
    recordsOf = openRecords,
  }: TransferTuning = {},
): Processor<LookupSnapshot> {
  const openSource = createScoreSources({ pauseMs })
  const metrics = createTransferMetrics(register)
  return {
    flow: 'device-score',

    async process(attempt, { configProps }) {
      const wanted = parsePayload(transferRun, attempt.payload)
      const { source: from, target } = findTransfer(transfers(), wanted.transfer)
      const derms = findTarget(connections, target)
      const prefixes = readPrefixes(configProps)
      const ledger = await openLedger(attempt, recordsOf(attempt))
      const wait = (ms: number) => waitFor(ms, attempt, clock)
      await using source = await openSource(from, transfers().connections, configProps)

      const look = wanted.file === undefined ? lookAtAll() : lookAtOne(wanted.file)
      const untilMs = attempt.acceptedAt + steadyWithinMs
      const files = steadyFiles({ look, lookAgainMs, untilMs, clock, wait })
      try {
        const run = { attempt, source, derms, ledger, prefixes, wait, againMs, clock, logger, metrics }
        const left = await transferAll(files, look, run)
        const report = { fates: ledger.fates(), ...left }
        if (report.fates.length + report.left.length > 0) return settlementOf(attempt, report, clock())
        const notice = noFileNotice(attempt, prefixes.file, from, clock())
        return { state: 'succeeded', outcome: 'SUCCESS', notices: [notice], files: { sent: 0, failed: 0, left: 0 } }
      } catch (error) {
        throw error instanceof TielineError ? new RunFailed(error, ledger.fates()) : error
      }

      function lookAtAll() {
        let first = true
        return async () => {
          const listed = await source.list(prefixes.file)
          if (first) await ledger.forgetAllBut(listed)
          if (first) await reached(attempt.journal, from)
          first = false
          return listed
        }
      }

      function lookAtOne(name: string) {
        // An attempt before this one may have come to its end but for the last word.
        const isDone = ledger.fates().some((fate) => fate.name === name)
        return async () => {
          if (isDone && (await source.find(name)) === undefined) return []
          return [await findAgain(source, name, prefixes.failed)]
        }
      }
    },

    giveUp(attempt, error) {
      if (error instanceof RunFailed) return settlementOfFailure(attempt, error.failure, error.fates, clock())
      return settlementOfFailure(attempt, error, [], clock())
    },
  }
}

/** By which the files of a transfer are known, and what became of them. */
const readPrefixes = (properties: ConfigProps) => ({
  file: properties['dacs.dvcScore.extract.filename.prefix'],
  sent: properties['dacs.prefixtag.fileuploaded'],
  failed: properties['dacs.prefixtag.filenotuploaded'],
})

/**
 * Transfers file by file, until several in a row fail because of the connection.
 * @returns what was not touched, and why when it lies with the target
 */
async function transferAll(
  files: AsyncGenerator<SourceFile, readonly SourceFile[]>,
  look: () => Promise<readonly SourceFile[]>,
  run: Transfer,
): Promise<Pick<Report, 'left' | 'down'>> {
  const left: string[] = []
  let failedInARow = 0
  for (;;) {
    const { value, done } = await files.next()
    if (done) return { left: [...left, ...value.map(({ name }) => name)] }
    const { error, touched } = await transferFile(value, run)
    if (!touched) left.push(value.name)
    failedInARow = error && saysDown({ code: error.code, httpStatus: statusOf(error) }) ? failedInARow + 1 : 0
    const isDown = failedInARow >= downAfter || error?.code === 'connection-paused'
    if (error && isDown) {
      const known = new Set(run.ledger.fates().map(({ name }) => name))
      return { left: (await look()).map(({ name }) => name).filter((name) => !known.has(name)), down: error }
    }
  }
}

const statusOf = (error: TielineError) => (error instanceof CallError ? error.status : undefined)

/** A run that an error ended, with what became of the files before. */
class RunFailed extends TielineError {
  readonly failure: TielineError
  readonly fates: readonly Fate[]
  constructor(failure: TielineError, fates: readonly Fate[]) {
    // A second login would be refused too, and count against the account.
    super(failure.code, failure.code === 'target-unauthorized' ? never : failure.retry, failure.message, {
      cause: failure,
    })
    this.failure = failure
    this.fates = fates
  }
}

function findTransfer({ deviceScore }: TransferSettings, name: string): TransferSettings['deviceScore'][number] {
  const found = deviceScore.find((transfer) => transfer.name === name)
  if (found) return found
  throw new TielineError('transfer-unusable', never, `The installation file has no transfer "${name}"`)
}

/** A source is opened anew for each run, a target with the service. */
function findTarget(connections: WorkerDeps['connections'], name: string): DermsClient {
  if (Object.hasOwn(connections.kinds, name)) return connections.derms(name)
  throw new TielineError('transfer-unusable', never, `The connection "${name}" is new: restart device-score to use it`)
}

/** Takes the error prefix off a file that failed. Where that was done before, the file is found under its own name. */
async function findAgain(source: FileSource, name: string, prefix: string): Promise<SourceFile> {
  const failed = await source.find(prefix + name)
  if (failed) {
    const renamed = await source.rename(failed, name)
    if (renamed === 'exists')
      throw fileMissing(`A file "${name}" is at ${source.connection} already: send or move that first`)
  }
  const file = await source.find(name)
  if (file) return file
  throw fileMissing(`There is no file "${prefix}${name}" at ${source.connection}`)
}

const fileMissing = (message: string) => new TielineError('file-missing', never, message)

/** A service that stops does not wait: another worker goes on. */
async function waitFor(ms: number, attempt: Pick<Attempt, 'signal' | 'postpone'>, clock: () => number): Promise<void> {
  try {
    await delay(ms, undefined, { signal: attempt.signal })
  } catch {
    attempt.postpone(clock())
  }
}
