import { z } from 'zod'
import { tokenHashForm } from './agent-token.ts'
import { type FileField, listenerTlsField, nameField, text } from './installation-fields.ts'

const tokenHash = () => z.string().regex(tokenHashForm, 'must be sha256: and 64 hexadecimal digits')

/** Section `agents`. */
export const agentsSection = z
  .array(
    z.strictObject({
      name: nameField().describe('Name of the agent; any number of processes may share it.'),
      tokenHash: z
        .union([tokenHash(), z.array(tokenHash()).min(1).max(2)], {
          error: 'must be one hash or two of `agents token`',
        })
        .describe('Hash of the token, as `tieline agents token` prints it; two of them during a rotation.'),
    }),
  )
  .default([])
  .describe('Agents that reach targets in networks that let nothing in.')

/** Section `gateway`. */
export const gatewaySection = (file: FileField) =>
  z
    .strictObject({
      workersUrl: z
        .string()
        .regex(/^http:\/\/[^\s/@?#]+$/, 'must be http://host:port')
        .default('http://127.0.0.1:8061')
        .describe('Where workers reach the gateway.'),
      key: text().min(16, 'must have at least 16 characters').describe('Secret that workers show to the gateway.'),
      tls: listenerTlsField(file).optional().describe('Certificate that agents see.'),
      behindProxy: z
        .boolean()
        .default(false)
        .describe('A balancer in front ends TLS. With neither this nor `tls`, only loopback is listened on.'),
    })
    .optional()
    .describe('Where agents dial in and workers reach them.')

interface Reach {
  readonly connections: Readonly<Record<string, object>>
  readonly gateway?: { readonly workersUrl: string; readonly key: string } | undefined
}

/** The gateway is an HTTP proxy to its workers: the user name is the agent. So `via` is a `proxy` from here on. */
export function throughAgents<Whole extends Reach>(installation: Whole): Whole {
  const { gateway } = installation
  if (gateway === undefined) return installation
  const connections = Object.entries(installation.connections).map(([name, connection]) => {
    if (!('via' in connection) || typeof connection.via !== 'string') return [name, connection]
    const url = new URL(gateway.workersUrl)
    const login = `${encodeURIComponent(connection.via)}:${encodeURIComponent(gateway.key)}`
    return [name, { ...connection, proxy: `http://${login}@${url.hostname}:${url.port || 80}` }]
  })
  return { ...installation, connections: Object.fromEntries(connections) }
}
