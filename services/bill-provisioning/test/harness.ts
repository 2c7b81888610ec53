import { randomBytes } from 'node:crypto'
import { readEnvironment } from '@tieline/runtime/environment'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { type BillTuning, startBillProvisioning } from '../src/service.ts'
import type { Sections } from './places.ts'

interface Options {
  /** More of section `bills`. */
  readonly bills?: object
  readonly tuning?: BillTuning
}

/** Long enough for a machine that has much else to do; what is about time sets its own. */
const patient: BillTuning = { firstByteMsMax: 30_000, graceMs: 0 }

/** The service in this process, and everything it logs. */
export async function openService(sections: Sections, { bills, tuning }: Options = {}) {
  const logged: string[] = []
  const destination = { write: (line: string) => void logged.push(line) }
  const logger = createLogger({ service: 'bill-provisioning', level: 'debug', destination })
  const service = await startBillProvisioning(settingsFor(sections, bills), { ...patient, logger, ...tuning })
  return {
    ...service,
    logged,
    /** What was logged about downloads, in the order of their ends. */
    downloads: () => logged.map((line) => JSON.parse(line)).filter(({ operation }) => operation === 'download'),
    metrics: async () => (await fetch(`${service.operationsUrl}/metrics`)).text(),
  }
}

export function settingsFor(sections: Sections, bills?: object): ServiceSettings {
  const environment = readEnvironment({ BILLS_PORT: '0' })
  return { environment, installation: parseInstallation(installationText(sections, bills), {}, '/') }
}

/** An installation file; JSON is YAML. */
export function installationText({ source, connections }: Sections, bills: object = {}): string {
  const derms = { name: 'derms', flows: ['stage-status'], credentials: [{ basic: { username: 'd', password: 'p' } }] }
  return JSON.stringify({ ingress: { clients: [derms] }, connections, bills: { source, ...bills } })
}

/** So many bytes that begin like a PDF. */
export const billOf = (bytes: number): Buffer => Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(bytes)], bytes)

export const mib = 1_048_576
