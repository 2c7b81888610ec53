import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startEnrollment } from './service.ts'

await runService(async () => startEnrollment(await readSettings(process.env)))
