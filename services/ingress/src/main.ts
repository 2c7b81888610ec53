import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startIngress } from './service.ts'

await runService(async () => startIngress(await readSettings(process.env)))
