import type { Panel, Queries } from './panels.ts'

/** A number that is to be seen at once; it is orange and red from these values on. */
export const stat = (
  title: string,
  unit: string,
  expr: string,
  thresholds: readonly [number, number],
  description: string,
): Panel => ({
  kind: 'stat',
  title,
  unit,
  queries: { [title]: expr },
  thresholds,
  description,
})

export const graph = (title: string, unit: string, queries: Queries, description: string): Panel => ({
  kind: 'timeseries',
  title,
  unit,
  queries,
  description,
})

export const table = (title: string, unit: string, queries: Queries, description: string): Panel => ({
  kind: 'table',
  title,
  unit,
  queries,
  description,
})

/** Of a counter of processes, per second. */
export const rate = (selector: string, by: string) => `sum by (${by}) (rate(${selector}[$__rate_interval]))`
/** Every process says it of the whole installation. */
export const installation = (selector: string, by: string) => `max by (${by}) (${selector})`
export const p95 = (histogram: string, by: string) =>
  `histogram_quantile(0.95, sum by (le, ${by}) (rate(${histogram}_bucket[$__rate_interval])))`
export const count = (condition: string) => `count(${condition}) or vector(0)`
