import type { SimulatorEnvironment } from './environment.ts'
import { type ObjectStorageAddress, type SftpAddress, startFilePlaces } from './file-places.ts'
import { startMailbox } from './mailbox.ts'
import { createMailboxControl } from './mailbox-control.ts'
import { serve, startDacsSimulator, startDermsSimulator, startTokenIssuer } from './start.ts'

export interface Simulators extends AsyncDisposable {
  readonly urls: SimulatorUrls
}

/** Where everything is. Each but `smtp` and the last two has its `/control` there. */
export interface SimulatorUrls
  extends Readonly<
    Record<'dacs' | 'derms' | 'tokenIssuer' | 'mailbox' | 'smtp' | 'sftpControl' | 'objectStorageControl', string>
  > {
  readonly sftp: SftpAddress
  readonly objectStorage: ObjectStorageAddress
}

/** Everything around Tieline in one process: DACS, DERMS, an identity provider, a mailbox and two places of files. */
export async function startSimulators(env: SimulatorEnvironment): Promise<Simulators> {
  const host = env.SIMULATOR_HOST
  await using stack = new AsyncDisposableStack()

  const mailbox = stack.use(await startMailbox({ host, port: env.MAILBOX_PORT }))
  const mails = stack.use(await serve({ app: createMailboxControl(mailbox) }, { host, port: env.MAILBOX_CONTROL_PORT }))
  const tokenIssuer = stack.use(
    await startTokenIssuer({
      host,
      port: env.TOKEN_ISSUER_PORT,
      audience: 'derms',
      clients: [{ clientId: env.DERMS_USER, clientSecret: env.DERMS_PASSWORD }],
    }),
  )

  const ingress = (username: string, password: string) =>
    env.INGRESS_URL === undefined ? undefined : { baseUrl: env.INGRESS_URL, basic: { username, password } }
  const dacs = stack.use(
    await startDacsSimulator({
      host,
      port: env.DACS_SIMULATOR_PORT,
      auth: { basic: { username: env.DACS_USER, password: env.DACS_PASSWORD } },
      ingress: ingress(env.DACS_INBOUND_USER, env.DACS_INBOUND_PASSWORD),
    }),
  )
  const derms = stack.use(
    await startDermsSimulator({
      host,
      port: env.DERMS_SIMULATOR_PORT,
      auth: {
        basic: { username: env.DERMS_USER, password: env.DERMS_PASSWORD },
        bearer: tokenIssuer.simulator.verify,
      },
      ingress: ingress(env.DERMS_INBOUND_USER, env.DERMS_INBOUND_PASSWORD),
      acknowledgeAfterMs: env.ACKNOWLEDGE_AFTER_MS,
      retryIntervalMs: env.RETRY_INTERVAL_MS,
    }),
  )

  const { sftp, objectStorage, controls } = stack.use(await startFilePlaces(env))

  const owned = stack.move()
  return {
    urls: {
      dacs: dacs.url,
      derms: derms.url,
      tokenIssuer: tokenIssuer.url,
      mailbox: mails.url,
      smtp: mailbox.url,
      sftpControl: controls.sftp,
      objectStorageControl: controls.objectStorage,
      sftp,
      objectStorage,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
