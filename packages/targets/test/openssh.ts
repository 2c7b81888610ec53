import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { run } from '@tieline/runtime/programs'
import { closedPort } from './far-side.ts'
import type { Sshd } from './find-sshd.ts'
import { newSshKey } from './ssh-keys.ts'

export interface OpenSsh extends AsyncDisposable {
  readonly port: number
  /** Fingerprint: `SHA256:…` */
  readonly hostKey: string
  /** The one user that it lets in, with a key. */
  readonly username: string
  readonly privateKeyFile: string
  /** Who has to own the files that it shall rename; undefined: whoever runs the tests. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  /** Makes a directory that it may write to. */
  makeDirectory(): Promise<string>
}

/** Starts OpenSSH as a user without rights. @throws Error when it does not start */
export async function startOpenSsh({ binary, env, settings }: Sshd): Promise<OpenSsh> {
  // Run by root, it would ask for an account of its own on this machine.
  const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
  const username = owner ? (await run('id', ['-nu', String(owner.uid)], { env })).trim() : userInfo().username
  const home = await mkdtemp(join(tmpdir(), 'tieline-openssh-'))
  await chmod(home, 0o755)

  const file = async (name: string, content: string, mode: number) => {
    const path = join(home, name)
    await writeFile(path, content, { mode })
    if (owner !== undefined) await chown(path, owner.uid, owner.gid)
    return path
  }
  const hostKey = newSshKey()
  const userKey = newSshKey()
  const port = await closedPort()
  const config = await file(
    'sshd_config',
    [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${await file('host_key', hostKey.privateKey, 0o600)}`,
      `AuthorizedKeysFile ${await file('authorized_keys', userKey.publicKey, 0o644)}`,
      'PidFile none',
      'StrictModes no',
      // Without PAM it takes an account without a password for a locked one.
      'UsePAM yes',
      'AuthenticationMethods publickey',
      'MaxStartups 100',
      'Subsystem sftp internal-sftp',
      ...settings,
      '',
    ].join('\n'),
    0o644,
  )

  const server = spawn(binary, ['-D', '-e', '-f', config], { env, stdio: ['ignore', 'ignore', 'pipe'], ...owner })
  const exited = once(server, 'exit')
  const said: string[] = []
  const lines = createInterface({ input: server.stderr })
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line)
      if (line.startsWith('Server listening')) resolve()
    })
    exited.then(() => reject(new Error(`sshd did not start: ${said.join(' ')}`)), reject)
  })

  return {
    port,
    hostKey: hostKey.fingerprint,
    username,
    privateKeyFile: await file('user_key', userKey.privateKey, 0o600),
    owner,
    async makeDirectory() {
      const directory = await mkdtemp(join(home, 'files-'))
      if (owner !== undefined) await chown(directory, owner.uid, owner.gid)
      return directory
    },
    async [Symbol.asyncDispose]() {
      server.kill()
      await exited
      await rm(home, { recursive: true, force: true })
    },
  }
}
