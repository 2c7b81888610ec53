import { createHash, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type AuthContext } from 'ssh2'
import { createFaults, type FaultControls } from './faults.ts'
import { answerSftpRequests, type SftpRequest, sftpOperations } from './sftp-requests.ts'
import type { ListenOptions } from './start.ts'

export interface SftpServerOptions extends ListenOptions {
  readonly username: string
  /** Without one, no password is right. */
  readonly password?: string
  /** It asks for the password as a question (keyboard-interactive), with these questions; default: it takes the method `password`. */
  readonly questions?: readonly string[]
  /** Public key that may log in, as in `authorized_keys`. */
  readonly authorizedKey?: string
  /** Private host key of an earlier server, for one that takes its place. Default: a new one. */
  readonly identity?: string
  /** What it serves. Default: a temporary directory, removed in the end. */
  readonly directory?: string
}

export interface SftpLoginAttempt {
  readonly username: string
  readonly method: string
  readonly accepted: boolean
}

/**
 * `status` of `failNext` is a status code of SFTP: 2 no such file, 3 permission denied, 4 failure. `containing` is a text that
 * the path must hold.
 */
export interface SftpServer extends FaultControls, AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `SHA256:…` */
  readonly hostKey: string
  readonly identity: string
  /** The real directory that clients see as `/`. */
  readonly directory: string
  /** Requests in order of arrival; of a file or directory that is read piece by piece only the first. */
  readonly received: readonly SftpRequest[]
  /** Every attempt to log in; asking whether a key would do is none. */
  readonly logins: readonly SftpLoginAttempt[]
  connections(): number
  /** Cuts the connection when so many more bytes of files were sent. */
  cutAfter(bytes: number): void
  /** Cuts all connections. */
  cut(): void
  /** Hangs up on new connections without a word. */
  refuseConnections(refuse: boolean): void
  /** As after the start, but for files and connections. */
  reset(): void
}

/** An SFTP server over a directory that behaves like OpenSSH: no rename overwrites. @throws Error when the port is taken */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const { host = '127.0.0.1', port = 0, identity = newIdentity() } = options
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'tieline-sftp-')))
  const faults = createFaults(sftpOperations)
  const received: SftpRequest[] = []
  const logins: SftpLoginAttempt[] = []
  const sockets = new Map<number | undefined, Socket>()
  let refusing = false
  let bytesUntilCut = Number.POSITIVE_INFINITY

  const isAllowed = createLogin(options)
  const ssh = new ssh2.Server({ hostKeys: [identity] }, (client, { port: remotePort }) => {
    const cut = () => void sockets.get(remotePort)?.destroy()
    // Connections that a client breaks off are its affair.
    client.on('error', () => undefined)
    client.on('authentication', async (context) => {
      const accepted = await isAllowed(context)
      const { username, method } = context
      if (!isQuestion(context)) logins.push({ username, method, accepted })
      if (accepted) context.accept()
      else context.reject([options.questions === undefined ? 'password' : 'keyboard-interactive', 'publickey'])
    })
    client.on('session', (acceptSession) => {
      acceptSession().on('sftp', (accept) => {
        const maySend = (bytes: number) => {
          bytesUntilCut -= bytes
          if (bytesUntilCut > 0) return true
          bytesUntilCut = Number.POSITIVE_INFINITY
          cut()
          return false
        }
        const onRequest = (request: SftpRequest) => void received.push(request)
        const sftp = accept()
        // The client of OpenSSH waits for the server to close after it.
        sftp.once('end', () => sftp.end())
        answerSftpRequests(sftp, { directory, faults, onRequest, maySend, cut })
      })
    })
  })
  const server = createServer((socket) => {
    if (refusing) {
      socket.destroy()
      return
    }
    const { remotePort } = socket.setNoDelay(true)
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
    ssh.injectSocket(socket)
  })
  server.listen(port, host)
  await once(server, 'listening')

  const cutAll = () => {
    for (const socket of sockets.values()) socket.destroy()
  }
  const heal = () => {
    refusing = false
    bytesUntilCut = Number.POSITIVE_INFINITY
    faults.heal()
  }
  return {
    ...faults,
    host,
    port: (server.address() as AddressInfo).port,
    hostKey: fingerprintOf(identity),
    identity,
    directory,
    received,
    logins,
    connections: () => sockets.size,
    cut: cutAll,
    cutAfter(bytes) {
      bytesUntilCut = bytes
    },
    refuseConnections(refuse) {
      refusing = refuse
    },
    heal,
    reset() {
      received.length = 0
      logins.length = 0
      heal()
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      cutAll()
      await closed
      if (options.directory === undefined) await rm(directory, { recursive: true })
    },
  }
}

type IsAllowed = (context: AuthContext) => boolean | Promise<boolean>

function createLogin({ username, password, questions, authorizedKey }: SftpServerOptions): IsAllowed {
  const key = authorizedKey === undefined ? undefined : parse(authorizedKey)
  return (context) => {
    if (context.username !== username) return false
    if (context.method === 'keyboard-interactive' && questions !== undefined) {
      const prompts = questions.map((prompt) => ({ prompt, echo: false }))
      return new Promise((resolve) => {
        context.prompt(prompts, (answers) => resolve(answers.length === prompts.length && answers[0] === password))
      })
    }
    if (context.method === 'password') return questions === undefined && context.password === password
    if (context.method !== 'publickey' || key === undefined || !key.getPublicSSH().equals(context.key.data))
      return false
    const { blob, signature, hashAlgo } = context
    return signature === undefined || blob === undefined || key.verify(blob, signature, hashAlgo) === true
  }
}

/** A client may ask first which methods there are, or whether a key would do, before it signs. */
const isQuestion = (context: AuthContext): boolean =>
  context.method === 'none' || (context.method === 'publickey' && context.signature === undefined)

/** Not by the generator of ssh2: now and then one of its Ed25519 keys is malformed. */
const newIdentity = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

const fingerprintOf = (identity: string): string => {
  const digest = createHash('sha256').update(parse(identity).getPublicSSH()).digest('base64')
  return `SHA256:${digest.replace(/=+$/, '')}`
}

function parse(key: string) {
  const parsed = ssh2.utils.parseKey(key)
  if (parsed instanceof Error) throw parsed
  return parsed
}
