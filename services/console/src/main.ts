import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startConsole } from './service.ts'

await runService(async () => startConsole(await readSettings(process.env)))
