import { once } from 'node:events'
import { ConfigurationError } from './configuration-error.ts'
import { createLogger, type Logger } from './logger.ts'

/** What a service gives for itself once it runs. */
export interface RunningService extends AsyncDisposable {
  /** Resolves when it cannot go on before somebody changes something: then it is stopped, and ends as one that could not start. */
  readonly failed?: Promise<ConfigurationError>
}

/** What a service tells the parent that asked for it with `tellParentFlag`. */
export type StartReport = { readonly started: true } | { readonly cannotStart: string }

/** Argument of a process whose parent prints why it cannot start, and listens for `StartReport`. */
export const tellParentFlag = '--tell-parent'

interface RunOptions {
  /** How long stopping may take before the process is ended, in milliseconds; shorter than the grace period around it. */
  readonly shutdownMs?: number
  /** How long a start that is told to stop may go on, in milliseconds: while Redis is away it would wait for ever. Default 5 s. */
  readonly startingMs?: number
  readonly logger?: Logger
}

/**
 * Starts a service, waits for SIGINT or SIGTERM, and stops it by disposing what `start` returned. A second signal ends
 * the process at once; so does the end of a parent that has opened a channel to it, but gently. What cannot be started, and
 * any error that nobody caught, ends the process with exit code 1: its state is unknown, and messages are safe in Redis.
 * A ConfigurationError is told as it is, by the parent if it wants to.
 */
export async function runService(start: () => Promise<RunningService>, options: RunOptions = {}): Promise<void> {
  const {
    shutdownMs = 25_000,
    startingMs = 5_000,
    logger = createLogger({ service: 'tieline', level: 'info' }),
  } = options
  const stop = new AbortController()
  let started = false

  const fail = (error: unknown, message: string): never => {
    // A value that is not an error may be anything, a payload for instance.
    logger.fatal(error instanceof Error ? { err: error } : {}, message)
    process.exit(1)
  }

  // Unhandled rejections arrive here as well, unless a listener of their own takes them away.
  process.on('uncaughtException', (error) => fail(error, 'An error was not caught; the process ends'))
  const beginToStop = () => {
    stop.abort()
    const tooLong = () => fail(undefined, `The service did not stop within ${shutdownMs} ms; the process ends`)
    setTimeout(tooLong, shutdownMs).unref()
    if (!started) setTimeout(() => started || process.exit(0), startingMs)
  }
  process.once('SIGINT', beginToStop).once('SIGTERM', beginToStop).once('disconnect', beginToStop)
  // Listening to the channel must not be what keeps the process alive.
  process.channel?.unref()

  const starting = start().catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) return fail(error, 'The service could not start')
    return endWith(error)
  })
  let failure: ConfigurationError | undefined
  {
    await using service = await starting
    started = true
    await report({ started: true })
    const stopped = stop.signal.aborted ? undefined : once(stop.signal, 'abort').then(() => undefined)
    failure = await Promise.race([stopped, ...(service.failed ? [service.failed] : [])])
    if (failure !== undefined) beginToStop()
  }
  if (failure !== undefined) await endWith(failure)
  // Timers that a library leaves behind, as BullMQ does while Redis is away, must not keep the process.
  setTimeout(() => process.exit(), lingerMs).unref()
}

async function endWith({ message }: ConfigurationError): Promise<never> {
  if (!(await report({ cannotStart: message }))) process.stderr.write(`${message}\n`)
  return process.exit(1)
}

/** False: no parent wants to hear it. */
async function report(what: StartReport): Promise<boolean> {
  if (!process.argv.includes(tellParentFlag) || process.send === undefined || !process.connected) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  process.send(what, undefined, {}, (error) => resolve(error === null))
  return promise
}

/** For what ends by itself after disposal. */
const lingerMs = 500
