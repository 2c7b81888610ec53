import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { version } from './version.ts'

/** The metrics of a process: what node and the operating system tell of it, and which build it runs. A service adds its own. */
export function createRegister(): Registry {
  const register = new Registry()
  collectDefaultMetrics({ register })
  registerBuildInfo(register)
  return register
}

export function registerBuildInfo(register: Registry): void {
  new Gauge({
    name: 'tieline_build_info',
    help: 'Always 1; its labels say which version of Tieline and of Node the process runs.',
    labelNames: ['version', 'node'],
    registers: [register],
  }).set({ version, node: process.version }, 1)
}
