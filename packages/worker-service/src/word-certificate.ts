import type { ExpiringCertificate } from '@tieline/journal/mail/expiring-certificates'
import type { CertificateLook } from '@tieline/targets/certificates'

const showing = {
  listener: (where: string) => `of ours, file ${where}`,
  client: (where: string) => `of ours, with which Tieline calls, file ${where}`,
  target: (where: string) => `shown by ${where}`,
} as const

/** A certificate that was looked at, as people are told of it. */
export function wordCertificate(found: Extract<CertificateLook, { expiresAt: number }>): ExpiringCertificate {
  const { kind, name, where, startsAt, expiresAt, fingerprint } = found
  return {
    name,
    words: showing[kind](where),
    startsAt,
    expiresAt,
    identity: `${kind} ${name} ${fingerprint}`,
    ...(kind !== 'listener' && { connection: name }),
  }
}
