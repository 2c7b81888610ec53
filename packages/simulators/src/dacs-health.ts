import type { Operation } from './far-side.ts'

/** 200 all well, 203 something non-critical is degraded, 500 something critical is. */
export type HealthStatus = 200 | 203 | 500

/** The framework's health check. Its checks are batch service levels. */
export function createHealth() {
  let status: HealthStatus = 200

  const healthCheck: Operation = {
    name: 'healthCheck',
    method: 'GET',
    path: '/common/system/healthCheck/',
    accepts: 'nothing',
    handle: () => ({
      status,
      applied: false,
      body: {
        'F1-HealthCheck': {
          healthOverallResponse: status,
          healthCheckResults: [
            {
              healthCompFlg: 'BLOS',
              healthCompDetail: 'F1-SYNRQ',
              healthCompResponse: status,
              healthCompStatusDescr: status === 200 ? 'Normal' : 'Degraded',
            },
          ],
        },
      },
    }),
  }
  const set = (next: HealthStatus) => {
    status = next
  }
  return { set, operations: [healthCheck] }
}
