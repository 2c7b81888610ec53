import type { Journal } from '@tieline/journal/journal'
import { tellExpiring } from '@tieline/journal/mail/expiring-certificates'
import type { Logger } from '@tieline/runtime/logger'
import { type CertificateLook, type CertificateOwners, certificateSources } from '@tieline/targets/certificates'
import type { Registry } from 'prom-client'
import { createCertificateGauge } from './certificate-metrics.ts'
import { wordCertificate } from './word-certificate.ts'

export interface CertificateWatchOptions {
  readonly installation: CertificateOwners
  readonly journal: Journal
  readonly register: Registry
  readonly logger: Pick<Logger, 'warn'>
  readonly everyMs?: number | undefined
}

/** After Redis was away. */
const againMs = 60_000

/** Looks at every certificate of the installation now and then every hour; tells when one ends, as metric and by e-mail. */
export function watchCertificates({
  installation,
  journal,
  register,
  logger,
  everyMs = 3_600_000,
}: CertificateWatchOptions): AsyncDisposable {
  const gauge = createCertificateGauge(register)
  const sources = certificateSources(installation)
  const complained = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const complain = ({ kind, name, where }: CertificateLook, code: string) => {
    const words = `The certificate of ${name} (${kind}, ${where}) cannot be looked at: ${code}`
    if (!complained.has(words)) logger.warn({ kind, name, code }, words)
    complained.add(words)
  }
  const look = async () => {
    const looks = await Promise.all(sources.map((source) => source.look()))
    const ends = new Map<string, number>()
    for (const found of looks) {
      if ('unknown' in found) {
        complain(found, found.unknown)
        continue
      }
      const { kind, name, expiresAt } = found
      const first = Math.min(ends.get(`${kind} ${name}`) ?? expiresAt, expiresAt)
      ends.set(`${kind} ${name}`, first)
      gauge.set({ kind, name }, first / 1_000)
    }
    for (const found of looks)
      if (!('unknown' in found) && !stopped) await tellExpiring(journal, wordCertificate(found))
  }
  const run = async (): Promise<void> => {
    let nextMs = everyMs
    try {
      await look()
    } catch (err) {
      nextMs = Math.min(everyMs, againMs)
      logger.warn({ err }, 'Could not tell of certificates that end; trying again')
    }
    if (!stopped) timer = setTimeout(start, nextMs).unref()
  }
  let running: Promise<void> = Promise.resolve()
  const start = () => {
    running = run()
  }
  start()
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
