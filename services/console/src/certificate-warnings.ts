import { wordExpiry } from '@tieline/contracts/notice-words'
import { warningOf } from '@tieline/journal/mail/expiring-certificates'
import type { Installation } from '@tieline/runtime/installation'
import { certificateSources } from '@tieline/targets/certificates'
import { wordCertificate } from '@tieline/worker-service/word-certificate'

/**
 * A sentence for each certificate that ends within 30 days, and for each file of ours that cannot be read from here; that a target
 * cannot be reached is for its own test to say.
 * @param name only of this connection or listener; default: all
 */
export async function certificateWarnings(installation: Installation, name?: string): Promise<string[]> {
  const sources = certificateSources(installation).filter((source) => name === undefined || source.name === name)
  const nowMs = Date.now()
  const looks = await Promise.all(sources.map((source) => source.look()))
  return looks.flatMap((found) => {
    if ('unknown' in found) {
      const { kind, where, unknown } = found
      return kind === 'target' ? [] : [`warning: ${found.name}: the certificate ${where} cannot be read: ${unknown}.`]
    }
    if (warningOf(found.expiresAt, nowMs) === undefined) return []
    return [
      `warning: ${found.name}: the certificate ${wordExpiry(found.expiresAt, nowMs)} (${wordCertificate(found).words}).`,
    ]
  })
}
