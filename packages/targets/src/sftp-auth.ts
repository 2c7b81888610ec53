import type { AnyAuthMethod } from 'ssh2'
import type { SftpLogin } from './sftp-login.ts'

type AuthHandler = (methodsLeft: string[] | null) => AnyAuthMethod | false

/**
 * Chooses how to log in: by the key, or by the password in the way that the server offers, which may ask for it as a
 * question (keyboard-interactive, RFC 4256). One attempt only: each that cannot succeed brings an account nearer to being locked.
 */
export function createSftpAuth({ username, password, privateKey, passphrase }: SftpLogin): AuthHandler {
  let tried = false
  const attempt = (method: AnyAuthMethod): AnyAuthMethod | false => {
    tried = true
    return method
  }
  return (methodsLeft) => {
    if (tried) return false
    if (privateKey !== undefined)
      return attempt({ type: 'publickey', username, key: privateKey, ...(passphrase !== undefined && { passphrase }) })
    if (password === undefined) return false
    // The answer to this first request tells which ways the server offers; it counts as no attempt.
    if (methodsLeft === null) return { type: 'none', username }
    if (methodsLeft.includes('password')) return attempt({ type: 'password', username, password })
    if (!methodsLeft.includes('keyboard-interactive')) return false
    return attempt({
      type: 'keyboard-interactive',
      username,
      // Only a lone question whose answer is not shown is one for the password; a code of one time nobody here knows.
      prompt: (_name, _instructions, _language, prompts, finish) =>
        finish(prompts.length === 1 && !prompts[0]?.echo ? [password] : []),
    })
  }
}
