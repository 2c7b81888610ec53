import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'

/** One service as a process that can be killed, stopped and started again. */
export interface KillableProcess extends AsyncDisposable {
  start(): void
  /** Ends it at once; resolves when it has ended. False when it did not run, or is ending. */
  kill(): Promise<boolean>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** How often it ended although nobody asked it to; it is started again then. */
  crashes(): number
}

/** @param env the environment of the service; its output goes to `logFile` */
export function createProcess(service: string, env: NodeJS.ProcessEnv, logFile: string): KillableProcess {
  const output = createWriteStream(logFile, { flags: 'a' })
  let child: ChildProcess | undefined
  let crashes = 0
  let asked = false
  let over = false

  const end = async (signal: NodeJS.Signals) => {
    const running = child
    if (running === undefined || asked) return false
    asked = true
    const ended = once(running, 'exit')
    running.kill(signal)
    // A stopped process takes no other signal than this.
    const bound = setTimeout(() => running.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(bound)
    return true
  }

  const start = () => {
    if (child !== undefined || over) return
    asked = false
    const started = spawn(process.execPath, [join(import.meta.dirname, 'service-program.ts'), service], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    started.stdout?.pipe(output, { end: false })
    started.stderr?.pipe(output, { end: false })
    started.once('exit', () => {
      child = undefined
      if (asked) return
      crashes += 1
      setTimeout(start, 1_000)
    })
    child = started
  }

  return {
    start,
    kill: () => end('SIGKILL'),
    signal: (signal) => void child?.kill(signal),
    crashes: () => crashes,
    async [Symbol.asyncDispose]() {
      over = true
      child?.kill('SIGCONT')
      await end('SIGTERM')
      output.end()
    },
  }
}
