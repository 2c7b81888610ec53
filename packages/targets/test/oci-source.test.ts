import { closedPort } from './far-side.ts'
import { describeNetwork, type RemoteUnderTest } from './file-source-network.ts'
import { openSource } from './file-source-program.ts'
import { describeFileSource, type SourceUnderTest } from './file-source-suite.ts'
import { startTestStorage, strangersKey, writeKey } from './oci-recipe.ts'

async function setup(): Promise<SourceUnderTest & RemoteUnderTest> {
  const { recipe, storage, bucket, put, [Symbol.asyncDispose]: stop } = await startTestStorage()
  const otherKey = await writeKey(strangersKey)
  return {
    recipe,
    open: (options) => openSource({ ...recipe, ...options }),
    openMissing: () => openSource({ ...recipe, bucket: 'missing' }),
    put,
    remove: async (name) => bucket.remove(name),
    read: bucket.read,
    names: async () => [...bucket.objects.keys()].sort(),
    cutAfter: storage.cutAfter,
    openWithWrongCredentials: () => openSource({ ...recipe, privateKeyFile: otherKey.privateKeyFile }),
    openWhereNothingListens: async () => openSource({ ...recipe, endpoint: `http://127.0.0.1:${await closedPort()}` }),
    async [Symbol.asyncDispose]() {
      await otherKey[Symbol.asyncDispose]()
      await stop()
    },
  }
}

describeFileSource('a bucket of Object Storage', setup)
describeNetwork('a bucket of Object Storage', setup)
