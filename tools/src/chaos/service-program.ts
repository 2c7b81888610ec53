import { flushCompileCache } from 'node:module'
import { startDeviceScore } from '@tieline/device-score/service'
import { createProcessors as createEnrollmentProcessors } from '@tieline/enrollment/processors'
import { startEnrollment } from '@tieline/enrollment/service'
import { createProcessors as createEventProcessors } from '@tieline/events/processors'
import { startEvents } from '@tieline/events/service'
import { startIngress } from '@tieline/ingress/service'
import { startNotifier } from '@tieline/notifier/service'
import { runService } from '@tieline/runtime/lifecycle'
import { readSettings, type ServiceSettings } from '@tieline/worker-service/read-settings'
import { startWorkerService, type WorkerServiceOptions } from '@tieline/worker-service/start-worker-service'
import { isPlantName, plantVariable } from './plant-names.ts'
import { plants } from './plants.ts'

/** Locks short enough to be outlived several times in one run; nothing that is promised depends on their length. */
const tuning = { lockMs: 2_000, stalledCheckMs: 1_000, sweepEveryMs: 1_000, pauseMs: 300 }

type Start = (settings: ServiceSettings) => Promise<AsyncDisposable>

const starters: Readonly<Record<string, Start>> = {
  ingress: startIngress,
  enrollment: (settings) => startEnrollment(settings, tuning),
  events: (settings) => startEvents(settings, tuning),
  'device-score': (settings) => startDeviceScore(settings, { ...tuning, lookAgainMs: 100, againMs: 100 }),
  notifier: (settings) => startNotifier(settings, tuning),
}

const processors: Readonly<Record<string, WorkerServiceOptions['processors']>> = {
  enrollment: createEnrollmentProcessors,
  events: createEventProcessors,
}

/** The service with a bug, to show that a run finds it. */
function startPlanted(service: string, planted: string): Start | undefined {
  const create = processors[service]
  if (create === undefined) return starters[service]
  if (!isPlantName(planted)) throw new RangeError(`There is no bug "${planted}" to plant`)
  const plant = plants[planted]
  return (settings) =>
    startWorkerService({
      service,
      settings,
      tuning,
      processors: (deps) => create(deps).map((processor) => plant.processor?.(processor) ?? processor),
      async beside(deps) {
        plant.service?.(deps)
        return new AsyncDisposableStack()
      },
    })
}

const [, , name = ''] = process.argv
const planted = process.env[plantVariable]
const start = planted === undefined ? starters[name] : startPlanted(name, planted)
if (start === undefined) throw new Error(`There is no service "${name}"`)

// At an end by SIGKILL it would not be written.
flushCompileCache()
// Ends with whoever started it, also when that one was killed.
process.once('disconnect', () => process.exit(1))
process.channel?.unref()
await runService(async () => start(await readSettings(process.env)))
