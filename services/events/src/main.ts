import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startEvents } from './service.ts'

await runService(async () => startEvents(await readSettings(process.env)))
