import { runService } from '@tieline/runtime/lifecycle'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startBillProvisioning } from '../src/service.ts'

// What is measured with it shall not depend on how much else the machine has to do.
await runService(async () =>
  startBillProvisioning(await readSettings(process.env), { firstByteMsMax: 60_000, transferMsMax: 300_000 }),
)
