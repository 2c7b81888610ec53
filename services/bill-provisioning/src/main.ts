import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { shutdownMs, startBillProvisioning } from './service.ts'

await runService(async () => startBillProvisioning(await readSettings(process.env)), { shutdownMs })
