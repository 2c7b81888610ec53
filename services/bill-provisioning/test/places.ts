import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { startObjectStorage } from '@tieline/simulators/object-storage'
import { startS3Storage } from '@tieline/simulators/s3-storage'
import { startSftpServer } from '@tieline/simulators/sftp-server'

/** What the installation file says about where the bills are. */
export interface Sections {
  readonly source: object
  readonly connections: object
}

/** A real place for bills. */
export interface Place extends Sections, AsyncDisposable {
  put(name: string, content: string | Buffer): Promise<void>
}

/** One that is reached over a network. */
export interface RemotePlace extends Place {
  readonly port: number
  /** The same, reached by another port of this machine. */
  through(port: number): Sections
}

const putInto = (directory: string) => async (name: string, content: string | Buffer) => {
  const file = join(directory, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

export async function openDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'tieline-bills-'))
  return {
    path,
    source: { kind: 'directory', path },
    connections: {},
    put: putInto(path),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export async function openSftp() {
  const server = await startSftpServer({ username: 'tieline', password: 'pw-sftp' })
  const { host, port, hostKey, directory } = server
  const through = (port: number) => ({
    source: { kind: 'sftp', connection: 'BILL_FILES' },
    connections: { BILL_FILES: { kind: 'sftp', host, port, hostKey, username: 'tieline', password: 'pw-sftp' } },
  })
  return {
    server,
    port,
    ...through(port),
    through,
    put: putInto(directory),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export async function openBucket() {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bills-key-'))
  const privateKeyFile = join(directory, 'key.pem')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  await writeFile(privateKeyFile, privateKey)
  const fingerprint = Array<string>(16).fill('aa').join(':')
  const user = { tenancy: 'ocid1.tenancy.oc1..t', user: 'ocid1.user.oc1..u', fingerprint }
  const { simulator, port, ...storage } = await startObjectStorage({
    buckets: ['bills'],
    users: [{ ...user, publicKey }],
  })
  const bucket = simulator.bucket('bills')
  const through = (port: number) => ({
    source: { kind: 'oci-object-storage', connection: 'BILL_BUCKET', bucket: 'bills' },
    connections: {
      BILL_BUCKET: { kind: 'oci-object-storage', endpoint: `http://127.0.0.1:${port}`, ...user, privateKeyFile },
    },
  })
  return {
    storage: simulator,
    port,
    ...through(port),
    through,
    put: async (name: string, content: string | Buffer) =>
      void (await bucket.put(name, Readable.from([Buffer.from(content)]))),
    async [Symbol.asyncDispose]() {
      await storage[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

export async function openS3() {
  const credentials = { accessKeyId: 'AKIATIELINE', secretAccessKey: 'wJalr/K7MDENG+bPxRfiCY' }
  const storage = await startS3Storage({ bucket: 'bills', region: 'us-east-1', credentials })
  return {
    source: { kind: 's3', connection: 'BILL_STORE', bucket: 'bills' },
    connections: { BILL_STORE: { kind: 's3', endpoint: storage.url, ...credentials } },
    put: async (name: string, content: string | Buffer) => storage.simulator.put(name, Buffer.from(content)),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

export const remotePlaces: Readonly<Record<string, () => Promise<RemotePlace>>> = {
  'an SFTP server': openSftp,
  'Object Storage': openBucket,
}

export const places: Readonly<Record<string, () => Promise<Place>>> = { 'a directory': openDirectory, ...remotePlaces }
