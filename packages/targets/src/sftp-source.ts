import type { Logger } from '@tieline/runtime/logger'
import { byName, type FileSource, nameCheck, type ReaderOptions, type Renamed, type SourceFile } from './file-source.ts'
import { createFileStream } from './file-stream.ts'
import { createPause, type Pause } from './pause.ts'
import { createSftpConnection } from './sftp-connection.ts'
import { followSshKey } from './sftp-key.ts'
import { readAhead } from './sftp-read-ahead.ts'
import { SftpRefusal, type SftpSession, sftpStatus } from './sftp-session.ts'
import { failIfStopped, fileChanged, ledOut, operate, requireFileName } from './source-failure.ts'

/** A connection of kind `sftp` of the installation file, and a directory there. */
export interface SftpSourceOptions extends ReaderOptions {
  /** Name of the connection. */
  readonly connection: string
  readonly host: string
  readonly port: number
  readonly username: string
  /** Either this or `privateKeyFile`. */
  readonly password?: string | undefined
  readonly privateKeyFile?: string | undefined
  readonly passphrase?: string | undefined
  /** Fingerprint of the server's key, `SHA256:…`, or several. A server with several keys presents an Ed25519 one first. */
  readonly hostKey: string | readonly string[]
  /** URL of an HTTP proxy; empty: none. */
  readonly proxy: string
  /** Relative ones begin where the server puts the user. */
  readonly directory: string
  /** Longest wait for a login, and for each answer after it. */
  readonly timeoutMs?: number
  /** Holds back after a refused login; one for all sources of a connection. Default: one for this source, of a minute. */
  readonly pause?: Pause
  /** Told when the private key cannot be read any more. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
  /** Between two looks at the private key; default 10 s. */
  readonly keyReloadMs?: number | undefined
}

/**
 * A directory on an SFTP server. Nothing is connected before the first operation.
 * @throws ConfigurationError when the private key cannot be read
 */
export async function createSftpSource(options: SftpSourceOptions): Promise<FileSource> {
  const {
    connection,
    directory,
    privateKeyFile,
    timeoutMs = 30_000,
    pause = createPause({ pauseMs: 60_000 }),
  } = options
  const key = privateKeyFile === undefined ? undefined : await followSshKey(options, privateKeyFile)
  const server = createSftpConnection({ ...options, key, timeoutMs, pause })
  const check = nameCheck(options)
  const folder = directory === '' ? '.' : directory
  const pathOf = (name: string) => `${folder.replace(/\/+$/, '')}/${name}`

  /** What a name stands for, links followed; undefined when it is no file. */
  const look = async (session: SftpSession, name: string): Promise<SourceFile | undefined> => {
    const found = await session.ask<Stats>((sftp, answer) => sftp.stat(pathOf(name), answer)).catch(missing)
    return found?.isFile() ? { name, ...describe(found) } : undefined
  }
  /** Only about links it is asked where they lead: servers make different things of paths. */
  const requireInside = async (session: SftpSession, name: string) => {
    const parts = name.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
    const found = await Promise.all(
      parts.map((part) => session.ask<Stats>((sftp, answer) => sftp.lstat(pathOf(part), answer)).catch(missing)),
    )
    if (!found.some((stats) => stats?.isSymbolicLink())) return
    const [root = '', path = ''] = await Promise.all(
      [folder, pathOf(name)].map((place) => session.ask<string>((sftp, answer) => sftp.realpath(place, answer))),
    )
    if (!path.startsWith(`${root.replace(/\/+$/, '')}/`)) throw ledOut()
  }
  /** A link that cannot be followed, for whatever reason, is as good as none. */
  const follow = (session: SftpSession, name: string) =>
    look(session, name).catch((error: unknown) => {
      if (!(error instanceof SftpRefusal)) throw error
    })
  const isUnchanged = async (session: SftpSession, file: SourceFile) =>
    (await look(session, file.name))?.version === file.version
  const exists = async (session: SftpSession, name: string) =>
    (await session.ask<Stats>((sftp, answer) => sftp.lstat(pathOf(name), answer)).catch(missing)) !== undefined

  return {
    connection,
    list: (prefix, signal) =>
      operate(connection, 'list', async () => {
        failIfStopped(signal)
        const session = await server.session()
        const files: SourceFile[] = []
        for await (const { filename: name, attrs } of readDirectory(session, folder)) {
          failIfStopped(signal)
          if (!name.startsWith(prefix) || attrs.isDirectory()) continue
          const file = attrs.isFile() ? { name, ...describe(attrs) } : await follow(session, name)
          if (file !== undefined) files.push(file)
        }
        return files.sort(byName)
      }),
    find: (name) =>
      operate(connection, 'find', async () => {
        if (check(name) !== undefined) return undefined
        const session = await server.session()
        const file = await look(session, name)
        // Without the directory nobody can say that there is no such file.
        if (file === undefined) await session.ask<Stats>((sftp, answer) => sftp.stat(folder, answer))
        return file
      }),
    open: (file, signal) =>
      operate(connection, 'open', async () => {
        failIfStopped(signal)
        requireFileName(file.name, check)
        const session = await server.session()
        const [opened, inside] = await Promise.allSettled([
          session.ask<Buffer>((sftp, answer) => sftp.open(pathOf(file.name), 'r', answer)).catch(missing),
          requireInside(session, file.name),
        ])
        if (opened.status === 'rejected') throw opened.reason
        if (inside.status === 'rejected') {
          if (opened.value !== undefined) giveBack(session, opened.value)
          throw inside.reason
        }
        const handle = opened.value
        if (handle === undefined) throw fileChanged('found the file gone')
        const confirm = async () => {
          const { version } = describe(await session.ask<Stats>((sftp, answer) => sftp.fstat(handle, answer)))
          if (version !== file.version) throw fileChanged('found the file changed')
        }
        const release = () => giveBack(session, handle)
        try {
          await confirm()
        } catch (error) {
          release()
          throw error
        }
        const chunks = readAhead(session, handle, file.bytes)
        return createFileStream({ connection, bytes: file.bytes, chunks, confirm, release, signal })
      }),
    rename: (file, newName) =>
      operate(connection, 'rename', async (): Promise<Renamed> => {
        requireFileName(file.name)
        requireFileName(newName)
        const session = await server.session()
        if (!(await isUnchanged(session, file))) return 'changed'
        // OpenSSH refuses to rename onto what exists; other servers overwrite it. With those, a file that appears, or a
        // change of this one, between these looks and the rename goes unnoticed: the protocol offers no condition.
        if (await exists(session, newName)) return 'exists'
        try {
          await session.ask((sftp, answer) => sftp.rename(pathOf(file.name), pathOf(newName), answer))
          return 'renamed'
        } catch (error) {
          if (!(error instanceof SftpRefusal)) throw error
          // Servers say so differently why they refuse. Most often another worker was faster.
          if (!(await isUnchanged(session, file))) return 'changed'
          if (await exists(session, newName)) return 'exists'
          throw error
        }
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** What a server says about a file. */
interface Stats {
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

const describe = ({ size, mtime }: Stats) => ({ bytes: size, modifiedAt: mtime * 1_000, version: `${size}-${mtime}` })

/** The entries of a directory as they come; links are not followed. */
async function* readDirectory(session: SftpSession, path: string): AsyncGenerator<Entry, void> {
  const handle = await session.ask<Buffer>((sftp, answer) => sftp.opendir(path, answer))
  try {
    for (;;) {
      yield* await session.ask<Entry[]>((sftp, answer) => sftp.readdir(handle, answer))
    }
  } catch (error) {
    if (!(error instanceof SftpRefusal) || error.sftpStatus !== sftpStatus.endOfFile) throw error
  } finally {
    giveBack(session, handle)
  }
}

interface Entry {
  readonly filename: string
  readonly attrs: Stats
}

/** A handle is gone with its connection, and a failure to close it concerns nothing that was read. */
function giveBack(session: SftpSession, handle: Buffer): void {
  session.ask((sftp, answer) => sftp.close(handle, answer)).catch(() => undefined)
}

function missing(error: unknown): undefined {
  if (!(error instanceof SftpRefusal) || error.sftpStatus !== sftpStatus.noSuchFile) throw error
}
