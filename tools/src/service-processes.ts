import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type StartReport, tellParentFlag } from '@tieline/runtime/lifecycle'
import { root } from './generate.ts'

/**
 * Flags that keep the memory of services flat under load: old garbage is collected before much of it
 * gathers. No limit: a process that meets one dies, and some messages are large.
 */
export const heapFlags = ['--max-semi-space-size=8', '--heap-growing-percent=20'] as const

/** MiB, a power of two: more room for the young costs memory and saves time. bench/README.md has the measurement. */
const semiSpaceMib: Readonly<Record<string, number>> = { ingress: 16, enrollment: 32 }

/** The flags of one service. Of two values the later counts, so those that have their own add it to the common ones. */
export function heapFlagsOf(service: string): readonly string[] {
  const own = semiSpaceMib[service]
  return own === undefined ? heapFlags : [...heapFlags, `--max-semi-space-size=${own}`]
}

export interface ServiceProcess {
  readonly name: string
  readonly env: NodeJS.ProcessEnv
}

export interface ServiceProcessesOptions {
  /** Where output goes; default the console of this process. */
  readonly output?: NodeJS.WritableStream
  /** Told of every end that nobody asked for; the process is started again after a pause. */
  readonly onCrash?: (name: string, how: string, againInMs: number) => void
  /**
   * Told, with its own words, of a service that cannot start before somebody changes something. It is not started again unless
   * it ran before. Without this the service prints them itself, and is started again.
   */
  readonly onCannotStart?: (why: string) => void
}

export interface ServiceProcesses extends AsyncDisposable {
  readonly pids: () => Readonly<Record<string, number | undefined>>
}

/** Each service ends by itself before, downloads of bills after up to 95 s. */
const killAfterMs = 97_000

const pauseMsMin = 1_000
const pauseMsMax = 30_000

/** Runs services as processes of their own and starts one again that ends by itself. Disposal ends all, gently first. */
export function startServiceProcesses(
  services: readonly ServiceProcess[],
  options: ServiceProcessesOptions = {},
): ServiceProcesses {
  // Two streams of each service end there.
  options.output?.setMaxListeners(0)
  const stopping = new AbortController()
  const children = new Map<string, ChildProcess>()
  const keepers = services.map((service) => keepRunning(service, options, children, stopping.signal))
  return {
    pids: () => Object.fromEntries([...children].map(([name, child]) => [name, child.pid])),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      for (const child of children.values()) child.kill('SIGTERM')
      const bound = setTimeout(() => {
        for (const child of children.values()) child.kill('SIGKILL')
      }, killAfterMs)
      await Promise.all(keepers)
      clearTimeout(bound)
    },
  }
}

async function keepRunning(
  { name, env }: ServiceProcess,
  options: ServiceProcessesOptions,
  children: Map<string, ChildProcess>,
  stopping: AbortSignal,
): Promise<void> {
  const { onCrash, onCannotStart } = options
  let pauseMs = pauseMsMin
  let ranOnce = false
  while (!stopping.aborted) {
    const startedAt = Date.now()
    const child = spawnService(name, env, options)
    children.set(name, child)
    let obstacle: string | undefined
    child.on('message', (report: StartReport) => {
      if ('started' in report) ranOnce = true
      else obstacle = report.cannotStart
    })
    // What it reported last may come after its end.
    const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')])
    children.delete(name)
    if (stopping.aborted) return
    if (obstacle !== undefined && !ranOnce) return onCannotStart?.(obstacle)
    pauseMs = Date.now() - startedAt > pauseMsMax ? pauseMsMin : Math.min(pauseMs * 2, pauseMsMax)
    onCrash?.(name, obstacle ?? signal ?? `exit code ${code}`, pauseMs)
    await delay(pauseMs, undefined, { signal: stopping }).catch(() => undefined)
  }
}

function spawnService(
  name: string,
  env: NodeJS.ProcessEnv,
  { output, onCannotStart }: ServiceProcessesOptions,
): ChildProcess {
  const program = [...heapFlagsOf(name), join(root, 'services', name, 'src/main.ts')]
  const child = spawn(process.execPath, [...program, ...(onCannotStart ? [tellParentFlag] : [])], {
    env,
    // The channel tells the service when this process is gone, however it went.
    stdio: ['ignore', output ? 'pipe' : 'inherit', output ? 'pipe' : 'inherit', 'ipc'],
  })
  if (output) {
    child.stdout?.pipe(output, { end: false })
    child.stderr?.pipe(output, { end: false })
  }
  return child
}
