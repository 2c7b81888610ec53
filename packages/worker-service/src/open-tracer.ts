import type { Logger } from '@tieline/runtime/logger'
import { openTracer, type Tracer } from '@tieline/runtime/telemetry'
import type { ServiceSettings } from './read-settings.ts'

/** The traces of a service, if the environment says where they go. */
export const openServiceTracer = (
  service: string,
  { environment, installation }: ServiceSettings,
  logger: Logger,
): Promise<Tracer> =>
  openTracer({
    endpoint: environment.traceEndpoint,
    service,
    environment: installation.installation.environment,
    logger,
  })
