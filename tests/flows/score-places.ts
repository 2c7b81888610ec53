import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FaultControls } from '@tieline/simulators/faults'
import { startObjectStorage } from '@tieline/simulators/object-storage'
import { startSftpServer } from '@tieline/simulators/sftp-server'

/** A place that DACS writes score files to, with what an installation says of it. */
export interface ScorePlace extends AsyncDisposable {
  /** Section `connections` of it. */
  readonly connection: Readonly<Record<string, unknown>>
  /** Rows of ConfigProps. */
  readonly properties: string
  put(name: string, content: string | Buffer): Promise<void>
  /** In alphabetical order. */
  names(): Promise<string[]>
  read(name: string): Promise<string>
  /** Undefined: nothing stands between us and a directory of our own machine. */
  readonly faults?: Pick<FaultControls, 'dropBefore' | 'latency' | 'heal' | 'failNext'> & {
    cutAfter(bytes: number): void
    /** Names of the operations that list, read and rename. */
    readonly operations: { readonly list: string; readonly read: string; readonly rename: string }
  }
}

export const places = { sftp: startSftpPlace, bucket: startBucketPlace, directory: startDirectoryPlace }

async function startSftpPlace(): Promise<
  ScorePlace & { readonly server: Awaited<ReturnType<typeof startSftpServer>> }
> {
  const server = await startSftpServer({ username: 'tieline', password: 'files' })
  const { host, port, hostKey } = server
  return {
    server,
    connection: { kind: 'sftp', host, port, hostKey, username: 'tieline', password: 'files' },
    properties: 'dacs.dvcScore.ftp.input.directory,/\n',
    ...filesIn(server.directory),
    faults: {
      dropBefore: server.dropBefore,
      latency: server.latency,
      heal: server.heal,
      failNext: server.failNext,
      cutAfter: server.cutAfter,
      operations: { list: 'readdir', read: 'read', rename: 'rename' },
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function startBucketPlace(list: { pageObjectsMax?: number } = {}): Promise<ScorePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-score-key-'))
  const privateKeyFile = join(directory, 'key.pem')
  const { privateKey, publicKey } = apiKey
  await writeFile(privateKeyFile, privateKey)
  const user = {
    tenancy: 'ocid1.tenancy.oc1..t',
    user: 'ocid1.user.oc1..u',
    fingerprint: Array(16).fill('ab').join(':'),
  }
  const storage = await startObjectStorage({ buckets: ['scores'], users: [{ ...user, publicKey }], ...list })
  const bucket = storage.simulator.bucket('scores')
  return {
    connection: { kind: 'oci-object-storage', endpoint: storage.url, ...user, privateKeyFile },
    properties: 'dacs.os.namespace,tieline\ndacs.os.dvcScore.bucketname,scores\n',
    put: async (name, content) => void (await bucket.put(name, Readable.from([Buffer.from(content)]))),
    names: async () => [...bucket.objects.keys()].sort(),
    read: async (name) => (await bucket.read(name)).toString(),
    faults: {
      dropBefore: storage.simulator.dropBefore,
      latency: storage.simulator.latency,
      heal: storage.simulator.heal,
      failNext: storage.simulator.failNext,
      cutAfter: storage.simulator.cutAfter,
      operations: { list: 'listObjects', read: 'getObject', rename: 'renameObject' },
    },
    async [Symbol.asyncDispose]() {
      await storage[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

async function startDirectoryPlace(): Promise<ScorePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-scores-'))
  return {
    connection: { kind: 'directory', path: directory },
    properties: '',
    ...filesIn(directory),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

const filesIn = (directory: string) => ({
  put: (name: string, content: string | Buffer) => writeFile(join(directory, name), content),
  names: async () => (await readdir(directory)).sort(),
  read: (name: string) => readFile(join(directory, name), 'utf8'),
})

// Once for all tests: making one takes longer than most tests do.
const apiKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
