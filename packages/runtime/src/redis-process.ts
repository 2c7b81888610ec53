import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readlink, realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onPath, run } from './programs.ts'
import { type RedisPlace, untilRedisAnswers } from './redis-answers.ts'
import { socketUrl } from './redis-url.ts'

export interface RedisProcessOptions {
  /** Path of redis-server or valkey-server. */
  readonly binary: string
  /** Where the append-only file lives; created when missing, kept when the server ends. */
  readonly dataDir: string
  /** Environment of the server; default that of this process. */
  readonly env?: NodeJS.ProcessEnv
  /** Default: any free port. */
  readonly port?: number
  /** Path of a Unix socket to listen at instead of a port; only the user who runs the server can use it. */
  readonly socket?: string
  /** Put last, so that they override: `['--maxmemory', '20mb']`. */
  readonly extraArgs?: readonly string[]
  /** How long the server may take to answer, reading its data included; default 60 s. */
  readonly readyWithinMs?: number
  /** How long disposal waits for a clean end before it kills; default 10 s. */
  readonly stopWithinMs?: number
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal
}

export interface RedisProcess extends AsyncDisposable {
  readonly url: string
  /** 0: it listens at a socket. */
  readonly port: number
  readonly pid: number
  readonly process: ChildProcess
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** The end of what it wrote to its log. */
  readonly lastWords: () => string
  /** Sends a signal; resolves once the process has ended, or at once for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>
}

/**
 * Starts a Redis on 127.0.0.1, or at a socket, that keeps what it confirms (append-only file, written through at once, no eviction);
 * resolves when it answers. Started again on the same directory it has its data again.
 * Rejects when another server uses the directory, or with the server's last words when it does not start.
 *
 * The server stands outside the terminal's process group: Ctrl-C must not end it while services still drain. Where
 * `setpriv` exists (Linux with util-linux) it ends when the thread that started it does, however this process dies;
 * elsewhere a killed parent leaves it running.
 */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  const { binary, env = process.env, readyWithinMs = 60_000, stopWithinMs = 10_000, socket } = options
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = await realpath(options.dataDir)
  await refuseDirectoryInUse(dataDir)
  const port = socket === undefined ? (options.port ?? (await freePort())) : 0
  const settings = redisArguments({ dataDir, ...(socket === undefined ? { port } : { socket }) })
  const args = [...settings, '--pidfile', pidFile(dataDir), ...(options.extraArgs ?? [])]
  const [command = binary, ...before] = [...(await dyingWithParent(env)), binary]
  const child = spawn(command, [...before, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { ended, closed, lastWords } = follow(child)

  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended
  }
  const stop = () => stopProcess(child, ended, stopWithinMs)
  const { pid } = child
  try {
    await untilStarted(socket ?? port, { closed, lastWords, withinMs: readyWithinMs, pid, signal: options.signal })
  } catch (error) {
    await stop()
    // Between finding a free port and using it another program may have taken it.
    if (socket === undefined && options.port === undefined && /address already in use/i.test(lastWords()))
      return startRedisProcess(options)
    throw error
  }
  const url = socket === undefined ? `redis://127.0.0.1:${port}` : socketUrl(socket)
  return { url, port, pid: pid ?? 0, process: child, ended, lastWords, kill, [Symbol.asyncDispose]: stop }
}

interface Starting {
  readonly closed: Promise<void>
  readonly lastWords: () => string
  readonly withinMs: number
  readonly pid?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Resolves when the server answers; rejects with its last words when it ends instead. */
export async function untilStarted(
  place: RedisPlace,
  { closed, lastWords, withinMs, pid, signal }: Starting,
): Promise<void> {
  const over = new AbortController()
  const endedEarly = closed.then(() => Promise.reject(new Error(`Redis did not start: ${lastWords()}`)))
  const waiting = {
    withinMs,
    signal: AbortSignal.any([over.signal, ...(signal ? [signal] : [])]),
    ...(pid !== undefined && { pid }),
  }
  try {
    await Promise.race([endedEarly, untilRedisAnswers(place, waiting)])
  } finally {
    over.abort()
  }
}

/** The settings that every embedded Redis has, as command line arguments. */
export const redisArguments = (place: RedisServerPlace): string[] =>
  Object.entries({
    ...('socket' in place
      ? { port: '0', unixsocket: place.socket, unixsocketperm: '700' }
      : { port: String(place.port), bind: place.bind ?? '127.0.0.1' }),
    dir: place.dataDir,
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    // Jobs and effects stay compact: a quarter less memory for a message. The name is the one that every version knows.
    'hash-max-ziplist-value': '512',
    save: '',
    daemonize: 'no',
  }).flatMap(([name, value]) => [`--${name}`, value])

type RedisServerPlace = { readonly dataDir: string } & (
  | { readonly port: number; readonly bind?: string }
  | { readonly socket: string }
)

/** Asks a process to end, and kills it when it has not within `withinMs`. */
export async function stopProcess(child: ChildProcess, ended: Promise<void>, withinMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

/** Watches a child process: when it ended, when its output closed, and how it ended or its last lines, for an error message. */
export function follow(child: ChildProcess): { ended: Promise<void>; closed: Promise<void>; lastWords: () => string } {
  let words = ''
  const note = (text: string) => {
    words = (words + text).slice(-1_000)
  }
  child.stdout?.setEncoding('utf8').on('data', note)
  child.stderr?.setEncoding('utf8').on('data', note)
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>()
  const { promise: closed, resolve: onClose } = Promise.withResolvers<void>()
  child.once('exit', () => onEnd()).once('close', () => onClose())
  child.once('error', (error) => {
    note(error.message)
    onEnd()
    onClose()
  })
  const lastWords = () => {
    if (child.signalCode !== null) return `it was ended by ${child.signalCode}`
    const lines = words.trim().split('\n').map(withoutStamp)
    return lines
      .filter((line) => !line.startsWith('WARNING'))
      .slice(-2)
      .join('; ')
  }
  return { ended, closed, lastWords }
}

/** A line of the server's log without process, time and level. */
const withoutStamp = (line: string) => line.replace(/^\d+:\w \d+ \w+ \d+ [\d:.]+ [#*.-] /, '')

/** A port that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

const pidFile = (dataDir: string) => join(dataDir, 'redis.pid')

/** Two servers on one append-only file would destroy it. A server's working directory is its data directory. */
async function refuseDirectoryInUse(dataDir: string): Promise<void> {
  const pid = Number(await readFile(pidFile(dataDir), 'utf8').catch(() => 0))
  if (!(pid > 0) || (await readlink(`/proc/${pid}/cwd`).catch(() => '')) !== dataDir) return
  throw new Error(`The data directory ${dataDir} is in use by the Redis with process id ${pid}. Stop that one first.`)
}

/** What to put before a command so that it gets SIGTERM when this process dies; nothing where that is not possible. */
export async function dyingWithParent(env: NodeJS.ProcessEnv): Promise<string[]> {
  const setpriv = await onPath('setpriv', env)
  if (setpriv === undefined) return []
  const prefix = ['--pdeathsig', 'TERM', '--']
  const tried = triedSetpriv.get(setpriv) ?? tryProgram(setpriv, [...prefix, setpriv, '--version'], env)
  triedSetpriv.set(setpriv, tried)
  return (await tried) ? [setpriv, ...prefix] : []
}

/** By path, so that a server that is started again does not wait for it again. */
const triedSetpriv = new Map<string, Promise<boolean>>()

const tryProgram = (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> =>
  run(program, args, { env }).then(
    () => true,
    () => false,
  )
