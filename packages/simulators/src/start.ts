import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { createDacsSimulator, type DacsOptions, type DacsSimulator } from './dacs.ts'
import { createDermsSimulator, type DermsOptions, type DermsSimulator } from './derms.ts'
import type { SimulatorApp } from './far-side.ts'
import { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './token-issuer.ts'

export interface ListenOptions {
  /** Default: any free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
}

export interface Started<Simulator> extends AsyncDisposable {
  /** Without a path and a slash at the end. */
  readonly url: string
  readonly port: number
  readonly simulator: Simulator
}

/** @throws Error when the port is taken, as do the others here */
export const startDacsSimulator = (options: DacsOptions & ListenOptions = {}): Promise<Started<DacsSimulator>> =>
  serve(createDacsSimulator(options), options)

export async function startDermsSimulator(
  options: DermsOptions & ListenOptions = {},
): Promise<Started<DermsSimulator>> {
  const simulator = createDermsSimulator(options)
  const started = await serve(simulator, options)
  return {
    ...started,
    async [Symbol.asyncDispose]() {
      await simulator[Symbol.asyncDispose]()
      await started[Symbol.asyncDispose]()
    },
  }
}

export const startTokenIssuer = async (
  options: TokenIssuerOptions & ListenOptions = {},
): Promise<Started<TokenIssuer>> => serve(await createTokenIssuer(options), options)

/** Serves a simulator; disposing cuts open connections, so that nobody waits for idle ones. */
export async function serve<Simulator extends { readonly app: Pick<SimulatorApp, 'fetch'> }>(
  simulator: Simulator,
  { port = 0, host = '127.0.0.1' }: ListenOptions,
): Promise<Started<Simulator>> {
  const server = createAdaptorServer({
    fetch: simulator.app.fetch,
    // Longer than a caller keeps an idle connection, so that none is closed under a call that nobody told to fail.
    serverOptions: { keepAliveTimeout: 75_000 },
  })
  server.listen(port, host)
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://${host}:${bound}`,
    port: bound,
    simulator,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}
