import type { Scenario } from './scenario.ts'

/** What the self-service site asks for. */
export const billScenarios: readonly Scenario[] = [
  {
    flow: 'F11 bills',
    what: 'health, a bill, and one that nobody has',
    expected: 'HTTP 200; HTTP 200 application/pdf %PDF-1.7; HTTP 404',
    async run(_far, { urls }) {
      const health = await fetch(`${urls.bills}/dss/bill/healthcheck`)
      const bill = await fetch(`${urls.bills}/dss/bill/download/1001`)
      const [firstLine] = (await bill.text()).split('\n')
      const unknown = await fetch(`${urls.bills}/dss/bill/download/1002`)
      return `HTTP ${health.status}; HTTP ${bill.status} ${bill.headers.get('content-type')} ${firstLine}; HTTP ${unknown.status}`
    },
  },
]
