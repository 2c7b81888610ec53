import { readEnvironment } from '@tieline/runtime/environment'
import { runService } from '@tieline/runtime/lifecycle'
import { readAgentSettings } from './agent-settings.ts'
import { startAgent } from './service.ts'

await runService(async () => startAgent(readAgentSettings(process.env), readEnvironment(process.env)))
