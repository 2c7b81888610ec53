import { once } from 'node:events'
import { promisify } from 'node:util'
import ssh2, { type ConnectConfig, type SFTPWrapper } from 'ssh2'

/** A session of a plain client. */
export async function connectTo(config: ConnectConfig) {
  const client = new ssh2.Client()
  client.on('error', () => undefined)
  client.connect({ host: '127.0.0.1', ...config })
  await once(client, 'ready')
  client.setNoDelay(true)
  const sftp = await promisify<SFTPWrapper>((done) => client.sftp(done))()
  return { client, sftp, [Symbol.dispose]: () => void client.destroy() }
}

/** The status with which a request is refused, or why there was none; undefined when it succeeds. */
export const statusOf = (request: (done: (error?: Error | null) => void) => void): Promise<unknown> =>
  new Promise((resolve) =>
    request((error) => resolve(error ? ('code' in error ? error.code : error.message) : undefined)),
  )

export async function readAll(sftp: SFTPWrapper, path: string): Promise<string> {
  const stream = sftp.createReadStream(path)
  // It fails once more when it cannot close its handle.
  stream.on('error', () => undefined)
  return (await stream.toArray()).join('')
}

export const namesIn = async (sftp: SFTPWrapper, path: string): Promise<string[]> =>
  (await promisify<string, { filename: string }[]>(sftp.readdir.bind(sftp))(path)).map(({ filename }) => filename)
