import { Gauge, type Registry } from 'prom-client'

/** @param version undefined while the lookups are not open yet */
export function registerLookupVersion(register: Registry, version: () => number | undefined): void {
  new Gauge({
    name: 'tieline_lookup_version',
    help: 'Version of the lookups that this process works with; it is the same everywhere within two seconds of a change.',
    registers: [register],
    collect() {
      this.remove()
      const known = version()
      if (known !== undefined) this.set(known)
    },
  })
}
