import { startDeviceScore } from '@tieline/device-score/service'
import { startEnrollment } from '@tieline/enrollment/service'
import { startEvents } from '@tieline/events/service'
import { startIngress } from '@tieline/ingress/service'
import { startNotifier } from '@tieline/notifier/service'
import { runService } from '@tieline/runtime/lifecycle'
import { readSettings, type ServiceSettings } from '@tieline/worker-service/read-settings'

/** Locks short enough to be outlived several times in one run; nothing that is promised depends on their length. */
const tuning = { lockMs: 2_000, stalledCheckMs: 1_000, sweepEveryMs: 1_000, pauseMs: 300 }

const starters: Readonly<Record<string, (settings: ServiceSettings) => Promise<AsyncDisposable>>> = {
  ingress: startIngress,
  enrollment: (settings) => startEnrollment(settings, tuning),
  events: (settings) => startEvents(settings, tuning),
  'device-score': (settings) => startDeviceScore(settings, { ...tuning, lookAgainMs: 100, againMs: 100 }),
  notifier: (settings) => startNotifier(settings, tuning),
}

const [, , name = ''] = process.argv
const start = starters[name]
if (start === undefined) throw new Error(`There is no service "${name}"`)

// Ends with whoever started it, also when that one was killed.
process.once('disconnect', () => process.exit(1))
process.channel?.unref()
await runService(async () => start(await readSettings(process.env)))
