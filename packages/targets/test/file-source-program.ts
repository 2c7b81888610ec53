import { once } from 'node:events'
import { createDirectorySource, type DirectorySourceOptions } from '../src/directory-source.ts'
import type { FileReader, FileSource, ReaderOptions } from '../src/file-source.ts'
import { createOciClient, type OciClientOptions } from '../src/oci-client.ts'
import { createOciSource } from '../src/oci-source.ts'
import { createS3Client, type S3ClientOptions } from '../src/s3-client.ts'
import { createS3Reader } from '../src/s3-reader.ts'
import { createSftpSource, type SftpSourceOptions } from '../src/sftp-source.ts'

/** How to open a source. */
type SourceRecipe =
  | ({ readonly kind: 'directory' } & DirectorySourceOptions)
  | ({ readonly kind: 'sftp' } & SftpSourceOptions)
  | ({ readonly kind: 'oci'; readonly bucket: string } & OciClientOptions & ReaderOptions)

/** How to open a reader, which may be a source. Can be handed to another process as JSON. */
export type ReaderRecipe = SourceRecipe | ({ readonly kind: 's3' } & S3ClientOptions & ReaderOptions)

export const openReader = async (recipe: ReaderRecipe): Promise<FileReader> =>
  recipe.kind === 's3' ? createS3Reader({ ...recipe, client: await createS3Client(recipe) }) : openSource(recipe)

export async function openSource(recipe: SourceRecipe): Promise<FileSource> {
  switch (recipe.kind) {
    case 'directory':
      return createDirectorySource(recipe)
    case 'sftp':
      return createSftpSource(recipe)
    case 'oci':
      return createOciSource({ ...recipe, client: await createOciClient(recipe) })
  }
}

/** As a program: leaves a file half read, disposes of the source, and has to end by itself. */
if (import.meta.main) {
  await using source = await openReader(JSON.parse(process.argv[2] ?? ''))
  const file = await source.find('file')
  if (file === undefined) throw new Error('there is no file')
  const stream = await source.open(file)
  stream.on('error', () => undefined)
  await once(stream, 'readable')
}
