import { createTransferMetrics } from '@tieline/device-score/metrics'
import { createGatewayMetrics } from '@tieline/gateway/metrics'
import { createIngressMetrics } from '@tieline/ingress/metrics'
import { registerInstallationMetrics } from '@tieline/journal/installation-metrics'
import { createWorkerMetrics } from '@tieline/journal/worker-metrics'
import { createMailMetrics } from '@tieline/notifier/metrics'
import { registerBuildInfo } from '@tieline/runtime/process-metrics'
import { createDurations } from '@tieline/targets/connections'
import { createCertificateGauge } from '@tieline/worker-service/certificate-metrics'
import { createLeniencyMetrics } from '@tieline/worker-service/leniency-metrics'
import { registerLookupVersion } from '@tieline/worker-service/lookup-metrics'
import { Registry } from 'prom-client'
import { createBillMetrics } from '../../../services/bill-provisioning/src/metrics.ts'

export interface MetricDescription {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

interface Part {
  readonly title: string
  readonly text: string
  readonly register: (register: Registry) => void
}

const parts: readonly Part[] = [
  {
    title: 'The installation',
    text: 'Every ingress, worker and console says the same, read from the journal when it is asked: take `max by (…)`, never a sum ([decision 15](decisions/0015-each-process-tells-of-the-installation.md)). While a process does not reach Redis it says none of them but `tieline_journal_up`.',
    register: (register) => registerInstallationMetrics(register, { journal: () => undefined, transfers: () => [] }),
  },
  {
    title: 'Ingress',
    text: 'Each process counts what it did itself: take `sum(rate(…))`.',
    register: (register) => createIngressMetrics(register, () => true, []),
  },
  {
    title: 'Workers',
    text: 'Of enrollment, events, device-score and notifier, for their own flows.',
    register(register) {
      createWorkerMetrics(register)
      createLeniencyMetrics(register)
      createDurations(register)
    },
  },
  { title: 'Score transfers', text: 'Of device-score.', register: (register) => createTransferMetrics(register) },
  {
    title: 'E-mails and certificates',
    text: 'Of notifier. Every notifier says the same of certificates: take `min by (kind, name)`.',
    register(register) {
      createMailMetrics(register)
      createCertificateGauge(register)
    },
  },
  {
    title: 'Agents',
    text: 'Of gateway.',
    register: (register) => createGatewayMetrics(register, () => []),
  },
  {
    title: 'Bill download',
    text: 'Of bill-provisioning.',
    register: (register) => createBillMetrics(register, () => 0),
  },
  {
    title: 'Each process',
    text: 'The version of the lookups is told by ingress and workers. Besides, every process has the metrics `process_…` and `nodejs_…` of the library `prom-client`: memory, CPU, event loop, garbage collection.',
    register(register) {
      registerBuildInfo(register)
      registerLookupVersion(register, () => undefined)
    },
  },
]

/** Every metric of our own. */
export const describeMetrics = (): MetricDescription[] => parts.flatMap(describePart)

/** The Markdown of `docs/metrics.md`. */
export const metricsPage = (): string =>
  [introduction, ...parts.flatMap((part) => [`## ${part.title}`, part.text, tableOf(describePart(part))])]
    .join('\n\n')
    .concat('\n')

const introduction = `# Metrics

<!-- Generated from the sources by \`pnpm generate\`. Change it there. -->

Every process serves its metrics under \`/metrics\` at \`METRICS_PORT\`, in the format of Prometheus.
[\`deploy/observe\`](../deploy/observe) has the rules of alerts and a dashboard; [containers.md](containers.md#observing) says how they come up.

Times are in seconds, sizes in bytes, times of day in seconds since 1970. No label holds a value of a message: \`flow\`, \`state\`, \`outcome\`,
\`kind\` and \`result\` are words of Tieline, \`path\` is the place of a field and \`rule\` a name below \`compat\`, \`code\` is one of [failures.md](failures.md) where nothing else is said, \`client\`, \`connection\`
and \`transfer\` are names of the installation file.`

function describePart({ register }: Part): MetricDescription[] {
  const registry = new Registry()
  register(registry)
  return registry
    .getMetricsAsArray()
    .map((metric) => ({ name: metric.name, type: String(metric.type), help: metric.help, labels: labelsOf(metric) }))
}

/** The library keeps them, and does not declare it. */
const labelsOf = (metric: object): string[] =>
  'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []

function tableOf(metrics: readonly MetricDescription[]): string {
  const code = (text: string) => `\`${text}\``
  const rows = metrics.map(
    ({ name, type, labels, help }) => `| ${code(name)} | ${type} | ${labels.map(code).join(', ') || '–'} | ${help} |`,
  )
  return ['| name | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
