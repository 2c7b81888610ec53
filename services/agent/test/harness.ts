import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway } from '@tieline/gateway/service'
import { createAgentToken } from '@tieline/runtime/agent-token'
import { readEnvironment } from '@tieline/runtime/environment'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import { makeCertificate } from '../../../packages/runtime/test/certificate.ts'
import { readAgentSettings } from '../src/agent-settings.ts'
import { startAgent } from '../src/service.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname
const key = 'a-key-of-the-workers'
const logger = createLogger({ service: 'test', level: 'silent' })
export const tokens = [createAgentToken(), createAgentToken()] as const

/** A gateway with a certificate of its own, and what agents and workers need to reach it. */
export async function openReach() {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-agent-'))
  const { cert, key: certKey } = makeCertificate('gateway')
  await writeFile(join(folder, 'cert.pem'), cert)
  await writeFile(join(folder, 'key.pem'), certKey)
  const hashes = tokens.map(({ tokenHash }) => `"${tokenHash}"`).join(', ')
  const installation = (workersPort: number) =>
    parseInstallation(
      `ingress: { clients: [{ name: c, flows: [stage-status], credentials: [{ basic: { username: u, password: p } }] }] }
agents: [{ name: site1, tokenHash: [${hashes}] }, { name: site2, tokenHash: ${hashes.split(',')[0]} }]
gateway: { key: ${key}, workersUrl: "http://127.0.0.1:${workersPort}", tls: { certFile: cert.pem, keyFile: key.pem } }
connections: { DERMS_A: { kind: derms, baseUrl: "http://127.0.0.1:1/x", auth: none, via: site1 } }`,
      {},
      folder,
    )
  const start = (agentPort = 0, workersPort = 0) => {
    const environment = readEnvironment({
      GATEWAY_PORT: String(agentPort),
      GATEWAY_WORKERS_PORT: String(workersPort),
    })
    return startGateway({ environment, installation: installation(8061) }, { logger })
  }
  let gateway = await start()
  const { agentPort, workersPort } = gateway
  const variables = (allow: string, token: string) => ({
    TIELINE_AGENT_URL: `https://127.0.0.1:${agentPort}`,
    TIELINE_AGENT_NAME: 'site1',
    TIELINE_AGENT_TOKEN: token,
    TIELINE_AGENT_ALLOW: allow,
    TIELINE_AGENT_CA_FILE: join(folder, 'cert.pem'),
  })
  return {
    /** As a connection with `via: site1` has it. */
    proxy: (installation(workersPort).connections.DERMS_A as { proxy: string }).proxy,
    async restart() {
      await gateway[Symbol.asyncDispose]()
      gateway = await start(agentPort, workersPort)
    },
    state: async () => (await fetch(`${gateway.operationsUrl}/metrics`)).text(),
    agent: (allow: string, token: string = tokens[0].token) =>
      startAgent(readAgentSettings(variables(allow, token)), readEnvironment({}), {
        logger,
        pauseMs: 50,
        drainMs: 700,
      }),
    /** An agent as a process of its own. */
    process: (allow: string) =>
      spawn(process.execPath, [main], {
        env: { ...process.env, ...variables(allow, tokens[0].token) },
        stdio: 'ignore',
      }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
