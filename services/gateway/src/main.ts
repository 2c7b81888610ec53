import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startGateway } from './service.ts'

await runService(async () => startGateway(await readSettings(process.env)))
