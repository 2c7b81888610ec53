import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startDeviceScore } from './service.ts'

await runService(async () => startDeviceScore(await readSettings(process.env)))
