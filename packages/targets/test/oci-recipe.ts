import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ObjectStorageOptions, startObjectStorage } from '@tieline/simulators/object-storage'

/** A simulated Object Storage with one bucket and one user, and how to open it. */
export async function startTestStorage(options: Partial<ObjectStorageOptions> = {}) {
  const { privateKeyFile, publicKey, [Symbol.asyncDispose]: removeKey } = await writeKey()
  const user = { tenancy: 'ocid1.tenancy.oc1..t', user: 'ocid1.user.oc1..u', fingerprint: 'aa:bb' }
  const storage = await startObjectStorage({ buckets: ['scores'], users: [{ ...user, publicKey }], ...options })
  const recipe = {
    kind: 'oci' as const,
    connection: 'DACS_BUCKET',
    endpoint: storage.url,
    ...user,
    privateKeyFile,
    proxy: '',
    bucket: 'scores',
  }
  const bucket = storage.simulator.bucket('scores')
  return {
    recipe,
    storage: storage.simulator,
    bucket,
    put: async (name: string, content: string | Buffer) =>
      void (await bucket.put(name, Readable.from([Buffer.from(content)]))),
    /** Names of the operations that arrived. */
    operations: () => storage.simulator.received.map(({ operation }) => operation),
    async [Symbol.asyncDispose]() {
      await storage[Symbol.asyncDispose]()
      await removeKey()
    },
  }
}

/** An API key: the private one in a file. */
export async function writeKey({ privateKey, publicKey } = ourKey) {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-oci-key-'))
  const privateKeyFile = join(directory, 'key.pem')
  await writeFile(privateKeyFile, privateKey)
  return { privateKeyFile, publicKey, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}

const newKey = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })

// Once for all tests: making them takes longer than most tests do.
const ourKey = newKey()
export const strangersKey = newKey()
