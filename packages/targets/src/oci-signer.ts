import { once } from 'node:events'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Logger } from '@tieline/runtime/logger'
import type { AuthenticationDetailsProvider, HttpRequest, RequestSigner } from 'oci-common'
import { followPrivateKey } from './private-key.ts'
import { failed, SourceFailure } from './source-failure.ts'
import { createTimeLimit } from './time-limit.ts'

/**
 * Who calls: a user by an API key (the default), the instance that Tieline runs on, or a resource such as a container
 * instance. The schema of the installation file sees to it that a user has all four of its keys.
 */
export interface OciLogin {
  readonly principal?: 'user' | 'instance' | 'resource' | undefined
  readonly tenancy?: string | undefined
  readonly user?: string | undefined
  /** Of the public key that belongs to the private one. */
  readonly fingerprint?: string | undefined
  /** PEM. */
  readonly privateKeyFile?: string | undefined
  /** Where an instance asks who it is; default: the address that every instance of OCI has. */
  readonly metadataUrl?: string | undefined
  /** Where an instance gets its token; default: that of its region. */
  readonly federationUrl?: string | undefined
}

/** Signs a request of the SDK, which is changed by it. @throws SourceFailure when there is no token to sign with */
export type SignRequest = (request: HttpRequest, excludeBody: boolean) => Promise<void>

interface SignerOptions {
  readonly connection: string
  readonly login: OciLogin
  /** Longest wait for a token. */
  readonly timeoutMs: number
  /** Told when the key of a user cannot be read any more. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
  readonly keyReloadMs?: number | undefined
}

/**
 * What signs requests. An instance asks for its token when it first needs one, and again before it expires.
 * @throws ConfigurationError when the private key or the variables of a resource cannot be used
 */
export async function createOciSigner({
  connection,
  login,
  timeoutMs,
  logger,
  keyReloadMs,
}: SignerOptions): Promise<SignRequest> {
  const common = await import('oci-common')
  const signerOf = (provider: AuthenticationDetailsProvider) => new common.DefaultRequestSigner(provider)
  if (login.principal === 'resource') {
    const signer = signerOf(resourceProvider(connection, common.ResourcePrincipalAuthenticationDetailsProvider))
    return withinTime(async () => signer, timeoutMs)
  }
  if (login.principal === 'instance') {
    const builder = new common.InstancePrincipalsAuthenticationDetailsProviderBuilder()
    if (login.metadataUrl !== undefined) builder.metadataBaseUrl = login.metadataUrl
    if (login.federationUrl !== undefined) builder.federationEndpoint = login.federationUrl
    return withinTime(
      lazily(async () => signerOf(await builder.build())),
      timeoutMs,
    )
  }
  const { tenancy = '', user = '', fingerprint = '', privateKeyFile = '' } = login
  const signer = await followPrivateKey(
    connection,
    privateKeyFile,
    (key) => signerOf(new common.SimpleAuthenticationDetailsProvider(tenancy, user, fingerprint, key, null)),
    { logger, everyMs: keyReloadMs },
  )
  return async (request, excludeBody) => (await signer()).signHttpRequest(request, excludeBody)
}

/** Its token and key stand in variables, or in files that they name and that are read again when the token has expired. */
function resourceProvider<Provider>(connection: string, { builder }: { builder(): Provider }): Provider {
  try {
    return builder()
  } catch {
    const rule = 'needs OCI_RESOURCE_PRINCIPAL_VERSION (2.2), …_RPST, …_PRIVATE_PEM and …_REGION in the environment'
    throw new ConfigurationError('The connections cannot be used', [
      { path: `connections.${connection}.principal`, rule },
    ])
  }
}

/** Built when it is first needed, and anew after that failed. */
function lazily(build: () => Promise<RequestSigner>): () => Promise<RequestSigner> {
  let built: Promise<RequestSigner> | undefined
  return () => {
    built ??= build().catch((error: unknown) => {
      built = undefined
      throw error
    })
    return built
  }
}

/** The SDK's own requests for a token know no limit, and its errors hold what the far side said. */
const withinTime =
  (signer: () => Promise<RequestSigner>, timeoutMs: number): SignRequest =>
  async (request, excludeBody) => {
    using limit = createTimeLimit(timeoutMs)
    const late = once(limit.signal, 'abort').then(() => {
      throw new SourceFailure(failed('target-timeout', 'got no token for its requests in time'))
    })
    const signing = signer()
      .then(async (ready) => ready.signHttpRequest(request, excludeBody))
      .catch(() => {
        throw new SourceFailure(failed('target-unauthorized', 'got no token for its requests'))
      })
    await Promise.race([signing, late])
  }
