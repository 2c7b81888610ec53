import type { IncomingMessage } from 'node:http'
import { type FileReader, nameCheck, type ReaderOptions, type SourceFile } from './file-source.ts'
import { createFileStream } from './file-stream.ts'
import { encodeForS3, type S3Client, S3Failure } from './s3-client.ts'
import { failed, failIfStopped, fileChanged, operate, requireFileName, SourceFailure } from './source-failure.ts'
import { readInTime } from './storage-request.ts'

export interface S3ReaderOptions extends ReaderOptions {
  /** Belongs to the reader from now on. */
  readonly client: S3Client
}

/**
 * The objects of a bucket that speaks S3. It only finds and reads: S3 has no renaming that one of several can win, which the
 * transfer of files is made of.
 */
export function createS3Reader({ client, ...options }: S3ReaderOptions): FileReader {
  const { connection } = client
  const check = nameCheck(options)

  /** An answer to HEAD has no body that could say why. @throws S3Failure when the bucket is not there, or not ours */
  const askForBucket = (name: string) =>
    client.send({ method: 'GET', key: '', query: `?list-type=2&max-keys=1&prefix=${encodeForS3(name)}` })
  const look = async (name: string): Promise<SourceFile | undefined> => {
    try {
      return toFile(name, await client.send({ method: 'HEAD', key: name }))
    } catch (error) {
      if (!(error instanceof S3Failure) || error.status === undefined || error.status >= 500) throw error
      await askForBucket(name)
      if (error.status === 404) return undefined
      throw error
    }
  }

  return {
    connection,
    find: (name) => operate(connection, 'find', async () => (check(name) === undefined ? look(name) : undefined)),
    open: (file, signal) =>
      operate(connection, 'open', async () => {
        failIfStopped(signal)
        requireFileName(file.name, check)
        const headers = { 'if-match': file.version }
        const answer = await client
          .send({ method: 'GET', key: file.name, headers, content: true, signal })
          .catch(judgeOpen)
        // It may break before anybody reads it, or after nobody does any more.
        answer.on('error', () => undefined)
        const release = () => void answer.destroy()
        const bytes = Number(answer.headers['content-length'])
        if (bytes !== file.bytes) {
          release()
          throw fileChanged('found another size than was found before')
        }
        const chunks = readInTime(answer, client.timeoutMs)
        return createFileStream({ connection, bytes, chunks, release, signal })
      }),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

function toFile(name: string, { headers }: IncomingMessage): SourceFile {
  const { etag, 'content-length': bytes, 'last-modified': modified = '' } = headers
  if (etag === undefined || bytes === undefined)
    throw new SourceFailure(failed('target-answer-invalid', 'was answered without size or ETag'))
  return { name, bytes: Number(bytes), modifiedAt: Date.parse(modified), version: etag }
}

function judgeOpen(error: unknown): never {
  if (!(error instanceof S3Failure)) throw error
  if (error.status === 412) throw fileChanged('found the file changed')
  if (error.serviceCode === 'NoSuchKey') throw fileChanged('found the file gone')
  throw error
}
