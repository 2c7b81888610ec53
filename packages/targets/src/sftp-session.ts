import { classifyBreak, type Verdict } from './classify.ts'
import type { Broken } from './exchange.ts'
import { logIn, type Sftp, type SftpLogin, type SshError } from './sftp-login.ts'
import { failed, SourceFailure } from './source-failure.ts'

export interface SftpSession {
  /**
   * Makes one request, a single round trip.
   * @throws SftpRefusal, or SourceFailure when the connection is lost or no answer comes in time
   */
  ask<T = void>(request: (sftp: Sftp, answer: Answer<T>) => void): Promise<T>
  /** Resolves when the connection is over, for whatever reason. */
  readonly over: Promise<void>
  close(): Promise<void>
}

/** The result is there when the error is not. */
export type Answer<T> = (error: SshError | null | undefined, result: T) => void

/** The server answered with a status other than success. */
export class SftpRefusal extends SourceFailure {
  /** One of `sftpStatus`, or any other number. */
  readonly sftpStatus: number

  constructor(status: number) {
    super(verdictOn(status))
    this.name = 'SftpRefusal'
    this.sftpStatus = status
  }
}

/** Status codes of SFTP version 3. Servers differ in what they call a failure. */
export const sftpStatus = { endOfFile: 1, noSuchFile: 2, permissionDenied: 3 } as const

/** Logs in. @throws SourceFailure */
export async function openSftpSession(login: SftpLogin): Promise<SftpSession> {
  const { client, sftp, socket, error } = await logIn(login)
  const waiting = new Set<(why: SourceFailure) => void>()
  let end: SourceFailure | undefined

  const drop = () => void socket.destroy()
  // The library forgets requests when a connection ends, and would keep new ones waiting for ever: so we keep count.
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => {
      end ??= lost(error())
      for (const fail of waiting) fail(end)
      resolve()
    })
  })
  // The server gave up the SFTP session, or talked nonsense, and kept the connection.
  sftp.on('close', drop).on('error', drop)

  return {
    over,
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (end !== undefined) {
          reject(end)
          return
        }
        const timer = setTimeout(() => {
          end ??= broken('timeout')
          drop()
        }, login.timeoutMs)
        const done = () => {
          clearTimeout(timer)
          waiting.delete(fail)
        }
        const fail = (why: SourceFailure) => {
          done()
          reject(why)
        }
        waiting.add(fail)
        request(sftp, (refusal, result) => {
          if (!refusal) {
            done()
            resolve(result)
          } else if (typeof refusal.code === 'number') {
            fail(new SftpRefusal(refusal.code))
          } else {
            drop()
          }
        })
      }),
    async close() {
      end ??= broken('stopped')
      client.end().catch(() => undefined)
      // What is written goes out first, but nobody waits for the other side to hang up.
      socket.destroySoon()
      await over
    },
  }
}

function lost(error: SshError | undefined): SourceFailure {
  if (error?.level === 'client-timeout') return broken('timeout')
  return broken('network', typeof error?.code === 'string' ? error.code : 'closed by the other side')
}

/** Requests were under way: nobody can tell what became of them. */
const broken = (reason: Broken['reason'], errorCode?: string): SourceFailure =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason, sent: true, errorCode }))

function verdictOn(status: number): Verdict {
  switch (status) {
    case sftpStatus.noSuchFile:
      return failed('target-not-found', 'found no such directory')
    case sftpStatus.permissionDenied:
      return failed('target-forbidden', 'was denied')
    default:
      return failed('target-error', `was answered with SFTP status ${status}`)
  }
}
