import type { Logger } from '@tieline/runtime/logger'
import type { HttpClient } from 'oci-common'
import type { ObjectStorageClient } from 'oci-objectstorage'
import { createAgents } from './agents.ts'
import { createOciSigner, type OciLogin } from './oci-signer.ts'
import { createOciTransport, type SendOptions } from './oci-transport.ts'
import { failed, SourceFailure } from './source-failure.ts'

/** A connection of kind `oci-object-storage` of the installation file. */
export interface OciClientOptions extends OciLogin {
  /** Name of the connection. */
  readonly connection: string
  readonly endpoint: string
  /** URL of an HTTP proxy; empty: none. */
  readonly proxy: string
  /** Longest time for a request with its answer; for content, until it begins and for each piece of it. */
  readonly timeoutMs?: number
  /** Told when the key cannot be read any more. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
  /** Between two looks at the key; default 10 s. */
  readonly keyReloadMs?: number | undefined
}

export interface OciClient extends AsyncDisposable {
  readonly connection: string
  readonly timeoutMs: number
  /**
   * Makes one request with the SDK, without a retry. What cannot be read in an answer is a failure of the far side.
   * @throws OciFailure, SourceFailure
   */
  call<T>(request: (sdk: ObjectStorageClient) => Promise<T>, options?: SendOptions): Promise<T>
  /** The namespace of the tenancy; asked for once. @throws OciFailure, SourceFailure */
  namespace(): Promise<string>
}

/**
 * Loads the SDK and the key; nothing is called yet.
 * @throws ConfigurationError when its login cannot be used
 */
export async function createOciClient(options: OciClientOptions): Promise<OciClient> {
  const { connection, endpoint, proxy, timeoutMs = 60_000, logger, keyReloadMs } = options
  // Large and slow to load; most processes never need it.
  const [objectStorage, common] = await Promise.all([import('oci-objectstorage'), import('oci-common')])
  const sign = await createOciSigner({ connection, login: options, timeoutMs, logger, keyReloadMs })
  const agents = await createAgents({ proxy })
  const send = createOciTransport({ sign, agents, timeoutMs })
  const circuitBreaker = new common.CircuitBreaker({ disableClientCircuitBreaker: true })
  let namespace: Promise<string> | undefined

  const call: OciClient['call'] = async (request, sendOptions) => {
    const seen: { failure?: unknown; answered?: true } = {}
    // The SDK repeats what fails, and prints every failure to the console, with the far side's words. So it is told of none.
    const httpClient: HttpClient = {
      async send(unsigned, excludeBody = false) {
        try {
          const answer = await send(unsigned, excludeBody, sendOptions)
          seen.answered = true
          return answer
        } catch (failure) {
          seen.failure = failure
          return Response.json({})
        }
      },
    }
    const sdk = new objectStorage.ObjectStorageClient({ httpClient }, { circuitBreaker })
    sdk.endpoint = endpoint.replace(/\/+$/, '')
    try {
      const answer = await request(sdk)
      if (seen.failure === undefined) return answer
    } catch (error) {
      // Before an answer came, it is a mistake of ours.
      if (seen.failure === undefined && !seen.answered) throw error
    }
    throw seen.failure ?? new SourceFailure(failed('target-answer-invalid', 'was answered with what nobody can read'))
  }

  return {
    connection,
    timeoutMs,
    call,
    namespace() {
      if (namespace === undefined) {
        namespace = call((sdk) => sdk.getNamespace({})).then(({ value }) => value)
        namespace.catch(() => {
          namespace = undefined
        })
      }
      return namespace
    },
    async [Symbol.asyncDispose]() {
      agents[Symbol.dispose]()
    },
  }
}
