import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startNotifier } from './service.ts'

await runService(async () => startNotifier(await readSettings(process.env)))
