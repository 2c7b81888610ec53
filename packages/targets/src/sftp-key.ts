import type { Logger } from '@tieline/runtime/logger'
import ssh2 from 'ssh2'
import { type FollowedKey, followPrivateKey, readPrivateKey } from './private-key.ts'

interface SshKeyOptions {
  readonly connection: string
  readonly passphrase?: string | undefined
  readonly logger?: Pick<Logger, 'warn'> | undefined
  readonly keyReloadMs?: number | undefined
}

/**
 * The private key of an SFTP login, read again when the file changes. The first one is taken as it is, because the login says best
 * what is wrong with it; it is left only for one that opens.
 * @throws ConfigurationError when the file cannot be read
 */
export async function followSshKey(
  { connection, passphrase, logger, keyReloadMs }: SshKeyOptions,
  file: string,
): Promise<FollowedKey<string>> {
  const first = await readPrivateKey(connection, file, (text) => text)
  const opened = (text: string): string => {
    if (text === first) return text
    const key = ssh2.utils.parseKey(text, passphrase)
    if (key instanceof Error) throw key
    return text
  }
  return followPrivateKey(connection, file, opened, { logger, everyMs: keyReloadMs })
}
