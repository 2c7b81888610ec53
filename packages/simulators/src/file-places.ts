import { createApiKey } from './api-key.ts'
import type { SimulatorEnvironment } from './environment.ts'
import { createFilesControl, type FilePlace } from './files-control.ts'
import { createFolderPlace } from './folder-place.ts'
import { startObjectStorage } from './object-storage.ts'
import type { Bucket } from './object-storage-bucket.ts'
import { startSftpServer } from './sftp-server.ts'
import { serve } from './start.ts'

/** What an installation says of a connection of kind `sftp`, and the folder its files lie in. */
export interface SftpAddress {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly hostKey: string
  /** As clients see it. */
  readonly directory: string
}

/** What an installation says of a connection of kind `oci-object-storage`, and where its objects lie. */
export interface ObjectStorageAddress {
  readonly endpoint: string
  readonly tenancy: string
  readonly user: string
  readonly fingerprint: string
  readonly privateKeyFile: string
  readonly namespace: string
  readonly bucket: string
}

export interface FilePlaces extends AsyncDisposable {
  readonly sftp: SftpAddress
  readonly objectStorage: ObjectStorageAddress
  /** The one server that drives both, by its two roots. */
  readonly controls: { readonly sftp: string; readonly objectStorage: string }
}

/** Where DACS leaves its score files: an SFTP server with one folder, and Object Storage with one bucket. */
export async function startFilePlaces(env: SimulatorEnvironment): Promise<FilePlaces> {
  const host = env.SIMULATOR_HOST
  await using stack = new AsyncDisposableStack()

  const login = { username: env.SFTP_SIMULATOR_USER, password: env.SFTP_SIMULATOR_PASSWORD }
  const sftp = stack.use(await startSftpServer({ host, port: env.SFTP_SIMULATOR_PORT, ...login }))
  const folder = await createFolderPlace(sftp.directory, env.SFTP_SIMULATOR_DIRECTORY)

  const { publicKey, fingerprint, privateKeyFile } = stack.use(await createApiKey())
  const user = { tenancy: env.OBJECT_STORAGE_TENANCY, user: env.OBJECT_STORAGE_USER, fingerprint }
  const [namespace, bucket] = [env.OBJECT_STORAGE_NAMESPACE, env.OBJECT_STORAGE_BUCKET]
  const storage = stack.use(
    await startObjectStorage({
      host,
      port: env.OBJECT_STORAGE_SIMULATOR_PORT,
      namespace,
      buckets: [bucket],
      users: [{ ...user, publicKey }],
    }),
  )

  const app = createFilesControl({
    sftp: {
      ...sftp,
      files: folder,
      async reset() {
        sftp.reset()
        await folder.clear()
      },
    },
    objectStorage: { ...storage.simulator, files: placeOf(storage.simulator.bucket(bucket)) },
  })
  const control = stack.use(await serve({ app }, { host, port: env.FILES_CONTROL_PORT }))

  const owned = stack.move()
  return {
    sftp: { host, port: sftp.port, ...login, hostKey: sftp.hostKey, directory: `/${env.SFTP_SIMULATOR_DIRECTORY}` },
    objectStorage: { endpoint: storage.url, ...user, privateKeyFile, namespace, bucket },
    controls: { sftp: `${control.url}/sftp`, objectStorage: `${control.url}/object-storage` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Names of objects are no paths: they lead nowhere. */
const placeOf = (bucket: Bucket): FilePlace => ({
  list: async () =>
    [...bucket.objects.values()]
      .map(({ name, bytes, modifiedAt }) => ({ name, bytes, modifiedAt }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  put: async (name, content) => void (await bucket.put(name, content)),
  read: bucket.read,
  remove: async (name) => bucket.remove(name),
})
