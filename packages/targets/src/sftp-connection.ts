import { after } from '@tieline/runtime/error'
import type { Pause } from './pause.ts'
import type { FollowedKey } from './private-key.ts'
import type { SftpLogin } from './sftp-login.ts'
import { openSftpSession, type SftpSession } from './sftp-session.ts'
import { SourceFailure, stopped } from './source-failure.ts'

export interface SftpConnection extends AsyncDisposable {
  /** The session that stands, or a new one. @throws SourceFailure */
  session(): Promise<SftpSession>
}

export interface SftpConnectionOptions extends Omit<SftpLogin, 'privateKey'> {
  /** The private key as it is now: asked for at each login. */
  readonly key?: FollowedKey<string> | undefined
  /** Holds back after a refused login. */
  readonly pause: Pause
}

/** One connection for all who ask, opened when it is needed and again after it was lost. */
export function createSftpConnection(options: SftpConnectionOptions): SftpConnection {
  const { pause, key } = options
  let current: Promise<SftpSession> | undefined
  let closed = false

  const forget = () => {
    current = undefined
  }
  const open = async (): Promise<SftpSession> => {
    const admission = pause.enter()
    if (admission.kind === 'paused') throw heldBack(admission.waitMs)
    try {
      const session = await openSftpSession({ ...options, privateKey: await key?.() })
      admission.leave('accepted')
      void session.over.then(forget)
      return session
    } catch (error) {
      const refused = error instanceof SourceFailure && error.verdict.code === 'target-unauthorized'
      admission.leave(refused ? 'refused' : 'nothing')
      throw error
    }
  }

  return {
    async session() {
      if (closed) throw stopped()
      if (current === undefined) {
        current = open()
        current.catch(forget)
      }
      return current
    },
    async [Symbol.asyncDispose]() {
      closed = true
      const session = await current?.catch(() => undefined)
      await session?.close()
    },
  }
}

const heldBack = (waitMs: number): SourceFailure =>
  new SourceFailure({
    code: 'connection-paused',
    retry: after(waitMs),
    outcome: 'failed',
    message: 'was not tried: the connection is paused after a refused login',
  })
