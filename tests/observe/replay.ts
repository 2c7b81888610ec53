import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '@tieline/tools/generate'
import { readExposition } from './exposition.ts'
import type { Query } from './expressions.ts'

/** What each process said at two looks, in the same order. */
export interface Looks {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

interface Case {
  readonly expr: string
  /** Labels of what comes out; each has the value 1. */
  readonly expected: readonly string[]
}

const secondLookM = 10
const evalM = 20

/**
 * Writes a test for promtool in which Prometheus got the first look at each process for ten minutes, and the second one since: so
 * rules and queries meet the series of real processes.
 */
export async function writeReplay(file: string, looks: Looks, cases: readonly Case[]): Promise<void> {
  const test = {
    rule_files: [join(root, 'deploy/observe/alerts.yml')],
    tests: [
      {
        interval: '1m',
        input_series: looks.after.flatMap((page, i) => seriesOf(looks.before[i] ?? '', page, `process-${i}`)),
        promql_expr_test: cases.map(({ expr, expected }) => ({
          expr,
          eval_time: `${evalM}m`,
          exp_samples: expected.map((labels) => ({ labels, value: 1 })),
        })),
      },
    ],
  }
  await writeFile(file, JSON.stringify(test))
}

/** Whether it finds anything. */
export const findsSomething = ({ expr }: Query): Case => ({
  expr: `(count(${expr.replaceAll('$__rate_interval', '5m')}) > bool 0) or vector(0)`,
  expected: ['{}'],
})

/** Every series of a process, the labels that Prometheus adds included. */
function seriesOf(before: string, after: string, instance: string): { series: string; values: string }[] {
  const known = readExposition(before)
  const service = after.includes('tieline_ingress_accepting') ? 'ingress' : 'worker'
  const up = { series: `up{job="tieline",service="${service}",instance="${instance}"}`, values: `1x${evalM}` }
  const samples = [...readExposition(after)].flatMap(([name, { samples }]) =>
    samples.map(({ labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
      const series = `${name}{${[...pairs, 'job="tieline"', `service="${service}"`, `instance="${instance}"`].join(',')}}`
      const first = known.get(name)?.samples.find((sample) => sameLabels(sample.labels, labels))
      return { series, values: `${written(first?.value)}x${secondLookM} ${written(value)}x${evalM}` }
    }),
  )
  return [up, ...samples]
}

/** A process that has just begun knows no lag of its event loop yet, and says NaN, which promtool does not read. */
const written = (value: number | undefined) => (value === undefined || !Number.isFinite(value) ? '_' : value)

const sameLabels = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>) =>
  Object.entries(one).every(([label, text]) => other[label] === text)
