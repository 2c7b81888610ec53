import { createMailer } from '@tieline/targets/mailer'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { startWorkerService, type WorkerTuning } from '@tieline/worker-service/start-worker-service'
import { watchCertificates } from '@tieline/worker-service/watch-certificates'
import { createMailMetrics } from './metrics.ts'
import { createNotificationProcessor } from './processors/notification.ts'

/**
 * Starts the worker of e-mails, and the watch over certificates, which sends some. Without a mail server it runs too, and notes on every notification that nobody was told.
 * @throws ConfigurationError when REDIS_URL is missing
 */
export async function startNotifier(
  settings: ServiceSettings,
  tuning?: WorkerTuning & { readonly certificatesMs?: number },
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  const { mail } = settings.installation
  const mailer = mail && { server: parts.use(createMailer(mail)), digestMinutes: mail.digestMinutes }
  parts.use(
    await startWorkerService({
      service: 'notifier',
      settings,
      processors: ({ installation, logger, register }) => {
        if (mailer === undefined) logger.warn('Section mail is not configured: no e-mail will be sent')
        return [createNotificationProcessor({ mailer, installation, logger, metrics: createMailMetrics(register) })]
      },
      beside: async (deps) =>
        watchCertificates({ ...deps, installation: settings.installation, everyMs: tuning?.certificatesMs }),
      tuning,
    }),
  )
  return parts.move()
}
