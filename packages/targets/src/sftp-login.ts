import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { never } from '@tieline/runtime/error'
import SftpClient from 'ssh2-sftp-client'
import type { Verdict } from './classify.ts'
import { createSftpAuth } from './sftp-auth.ts'
import { openSocket, type SocketOptions } from './sftp-socket.ts'
import { failed, SourceFailure } from './source-failure.ts'

export interface SftpLogin extends SocketOptions {
  readonly username: string
  /** Either this or `privateKey`. */
  readonly password?: string | undefined
  /** OpenSSH or PEM. */
  readonly privateKey?: string | undefined
  /** Opens `privateKey`. */
  readonly passphrase?: string | undefined
  /** Fingerprints of the server's key, `SHA256:…`: any of them will do. */
  readonly hostKey: string | readonly string[]
}

export type Sftp = Awaited<ReturnType<SftpClient['connect']>>

export interface LoggedIn {
  readonly client: SftpClient
  readonly sftp: Sftp
  /** Its `close` is what tells that the connection is over. */
  readonly socket: Socket
  /** Error of the connection, once it is lost. */
  readonly error: () => SshError | undefined
}

export interface SshError extends Error {
  /** Which part of the library failed. */
  readonly level?: string
  /** Of the socket when it is a text, of the SSH protocol when it is a number. */
  readonly code?: unknown
}

/** A line that is dead without a word is noticed after three of these. */
const keepaliveMs = 10_000

/**
 * Connects, checks the host key, and logs in.
 * @throws SourceFailure `target-unreachable`, `target-timeout`, `target-unauthorized`, `target-error`, `host-key-mismatch`
 */
export async function logIn(login: SftpLogin): Promise<LoggedIn> {
  const { username, timeoutMs } = login
  const known = new Set([login.hostKey].flat().map(withoutPadding))
  const socket = await openSocket(login)
  // Without callbacks of ours the library writes to the console what happens to a connection.
  const client = new SftpClient(login.host, {})
  const seen: Seen = { socket }
  client.on('error', (error: SshError) => {
    seen.error ??= error
  })
  client.on('handshake', () => {
    seen.secured = true
  })
  client.on('ready', () => {
    seen.admitted = true
  })
  const timer = setTimeout(() => {
    seen.timeout = true
    socket.destroy()
  }, timeoutMs)

  try {
    const sftp = await client.connect({
      sock: socket,
      username,
      authHandler: createSftpAuth(login),
      // Asked before the login, on a connection that has carried nothing secret yet.
      hostVerifier: (key: Buffer) => {
        const isKnown = known.has(fingerprintOf(key))
        if (!isKnown) seen.strangeKey = key
        return isKnown
      },
      readyTimeout: 0,
      keepaliveInterval: keepaliveMs,
    })
    return { client, sftp, socket, error: () => seen.error }
  } catch {
    const verdict = judge(seen)
    socket.destroy()
    throw new SourceFailure(verdict)
  } finally {
    clearTimeout(timer)
  }
}

/** What happened to a login until it failed. */
interface Seen {
  readonly socket: Socket
  error?: SshError
  strangeKey?: Buffer
  secured?: boolean
  admitted?: boolean
  timeout?: boolean
}

function judge({ socket, error, strangeKey, secured, admitted, timeout }: Seen): Verdict {
  if (strangeKey !== undefined) {
    const key = `${typeOf(strangeKey)} host key ${fingerprintOf(strangeKey)}`
    const message = `was presented the ${key}, not a configured one; no password or key was sent`
    return { code: 'host-key-mismatch', retry: never, outcome: 'failed', message }
  }
  if (timeout) return failed('target-timeout', 'could not log in in time')
  if (error?.level === 'client-authentication') return failed('target-unauthorized', 'was refused the login')
  if (admitted) return failed('target-error', 'got no SFTP session')
  if (secured) return failed('target-unreachable', 'lost its connection while logging in')
  const brokeOff = error !== undefined || socket.destroyed || socket.readableEnded
  if (!brokeOff) return failed('target-unauthorized', 'has a private key that cannot be used')
  return failed('target-unreachable', `got no SSH connection (${error?.level ?? 'closed'})`)
}

/** As `ssh-keygen -l` prints it. */
const fingerprintOf = (key: Buffer): string =>
  withoutPadding(`SHA256:${createHash('sha256').update(key).digest('base64')}`)

const withoutPadding = (fingerprint: string): string => fingerprint.replace(/=+$/, '')

/** A key begins with the name of its type (RFC 4253, section 6.6). */
const typeOf = (key: Buffer): string => key.toString('latin1', 4, 4 + key.readUInt32BE(0))
