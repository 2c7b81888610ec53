import { once } from 'node:events'
import { ConfigurationError } from './configuration-error.ts'
import { createLogger, type Logger } from './logger.ts'

interface RunOptions {
  /** How long stopping may take before the process is ended, in milliseconds; shorter than the grace period around it. */
  readonly shutdownMs?: number
  readonly logger?: Logger
}

/**
 * Starts a service, waits for SIGINT or SIGTERM, and stops it by disposing what `start` returned. A second signal ends
 * the process at once; so does the end of a parent that has opened a channel to it, but gently. What cannot be started, and
 * any error that nobody caught, ends the process with exit code 1: its state is unknown, and messages are safe in Redis.
 */
export async function runService(start: () => Promise<AsyncDisposable>, options: RunOptions = {}): Promise<void> {
  const { shutdownMs = 25_000, logger = createLogger({ service: 'tieline', level: 'info' }) } = options
  const stop = new AbortController()

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
  }
  process.once('SIGINT', beginToStop).once('SIGTERM', beginToStop).once('disconnect', beginToStop)
  // Listening to the channel must not be what keeps the process alive.
  process.channel?.unref()

  const starting = start().catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) return fail(error, 'The service could not start')
    process.stderr.write(`${error.message}\n`)
    return process.exit(1)
  })
  {
    await using _service = await starting
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
  }
  // Timers that a library leaves behind, as BullMQ does while Redis is away, must not keep the process.
  setTimeout(() => process.exit(), lingerMs).unref()
}

/** For what ends by itself after disposal. */
const lingerMs = 500
