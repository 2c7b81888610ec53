import { createHash, generateKeyPairSync } from 'node:crypto'

export interface SshKey {
  /** PEM. */
  readonly privateKey: string
  /** As in `authorized_keys`. */
  readonly publicKey: string
  /** `SHA256:…` */
  readonly fingerprint: string
}

/** A throw-away key for servers and users, made without the tools of OpenSSH. */
export function newSshKey(): SshKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const blob = Buffer.concat([text('ecdsa-sha2-nistp256'), text('nistp256'), text(point)])
  return {
    privateKey: String(privateKey.export({ type: 'sec1', format: 'pem' })),
    publicKey: `ecdsa-sha2-nistp256 ${blob.toString('base64')}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
  }
}

/** With its length before it (RFC 4251, section 5). */
function text(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
