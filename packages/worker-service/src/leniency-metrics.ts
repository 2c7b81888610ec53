import { Counter, type Registry } from 'prom-client'

export type LeniencyMetrics = ReturnType<typeof createLeniencyMetrics>

/** What was let pass of messages and rows, counted once for each generation. Paths have no indexes. */
export function createLeniencyMetrics(register: Registry) {
  const registers = [register]
  return {
    bent: new Counter({
      name: 'tieline_bent_fields_total',
      help: 'Values that had another form than the contract and were bent to it, by flow and path.',
      labelNames: ['flow', 'path'] as const,
      registers,
    }),
    unpublished: new Counter({
      name: 'tieline_unpublished_rules_broken_total',
      help: 'Values that break a rule which nobody has published and went on as they are, by flow, path and rule (its name below `compat`).',
      labelNames: ['flow', 'path', 'rule'] as const,
      registers,
    }),
    dropped: new Counter({
      name: 'tieline_unknown_fields_total',
      help: 'Fields that the flow does not know and left out, by flow and path; `other`: a process tells no more than 200 paths, and none that does not look like a name.',
      labelNames: ['flow', 'path'] as const,
      registers,
    }),
  }
}
