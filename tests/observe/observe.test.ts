import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failures } from '@tieline/contracts/failures'
import { flowIds } from '@tieline/contracts/flows'
import { describeMetrics } from '@tieline/tools/observe/metrics-page'
import { beforeAll, describe, expect, it } from 'vitest'
import { readExposition, type Scraped, valuesOf } from './exposition.ts'
import { groupedBy, panelQueries, queries, selectorsOf } from './expressions.ts'
import { findPromtool, type Promtool } from './promtool.ts'
import { findsSomething, type Looks, writeReplay } from './replay.ts'
import { observe } from './scenario.ts'

/** Prometheus adds these to what it scrapes (`deploy/observe/prometheus.yml`). */
const targetLabels = ['job', 'service', 'instance']
/** What Prometheus makes itself. */
const ofPrometheus = new Map([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate']],
])

let looks: Looks = { before: [], after: [] }
let pages: readonly string[] = []
let scraped = new Map<string, Scraped>()
beforeAll(async () => {
  looks = await observe()
  pages = looks.after
  scraped = readExposition(pages.join('\n'))
}, 120_000)

const labelsOf = (metric: string): readonly string[] | undefined => {
  const own = ofPrometheus.get(metric) ?? scraped.get(metric)?.labels
  return own && [...own, ...targetLabels]
}

describe('rules and dashboard', () => {
  it('name only metrics and labels that running services have', () => {
    const wrong = queries.flatMap(({ where, expr }) => {
      const selectors = selectorsOf(expr)
      const known = new Set(selectors.flatMap(({ metric }) => labelsOf(metric) ?? []))
      return [
        ...selectors.filter(({ metric }) => labelsOf(metric) === undefined).map(({ metric }) => `${where}: ${metric}`),
        ...selectors.flatMap(({ metric, matchers }) =>
          matchers
            .filter(({ label }) => !labelsOf(metric)?.includes(label))
            .map(({ label }) => `${where}: ${metric} has no ${label}`),
        ),
        ...groupedBy(expr)
          .filter((label) => !known.has(label))
          .map((label) => `${where}: nothing has ${label}`),
      ]
    })
    expect(wrong).toEqual([])
    expect(queries.length).toBeGreaterThan(40)
  })

  it('select only flows and codes that there are', () => {
    const words: Readonly<Record<string, readonly string[]>> = {
      flow: flowIds,
      code: [...Object.keys(failures), 'none', 'lost'],
    }
    const unknown = queries.flatMap(({ where, expr }) =>
      selectorsOf(expr).flatMap(({ matchers }) =>
        matchers.flatMap(({ label, value }) =>
          value
            .split('|')
            .filter((word) => words[label]?.includes(word) === false)
            .map((word) => `${where}: ${label} ${word}`),
        ),
      ),
    )
    expect(unknown).toEqual([])
  })
})

describe('metrics', () => {
  it('are exactly those of docs/metrics.md, with their labels', () => {
    // Those of the bill download and of the gateway, which this scenario does not run, are looked at in their own tests.
    const described = describeMetrics().filter(({ name }) => !/^tieline_(bills|gateway)_/.test(name))
    const ours = new Set(
      [...scraped.keys()]
        .filter((name) => name.startsWith('tieline_'))
        .map((name) => name.replace(/_(bucket|sum|count)$/, '')),
    )
    expect([...ours].sort()).toEqual(described.map(({ name }) => name).sort())
    for (const { name, type, labels } of described) {
      const said = scraped.get(type === 'histogram' ? `${name}_count` : name)?.labels ?? new Set()
      expect({ name, labels: [...said].sort() }).toEqual({ name, labels: [...labels].sort() })
    }
  })

  it('count each message once: accepted, attempted, settled, repeated, acknowledged', () => {
    const sum = (name: string, labels?: Readonly<Record<string, string>>) =>
      valuesOf(pages, name, labels).reduce((all, one) => all + one, 0)
    const stage = { flow: 'stage-status' }
    expect(sum('tieline_messages_accepted_total', { ...stage, kind: 'new' })).toBe(2)
    expect(sum('tieline_messages_accepted_total', { ...stage, kind: 'replayed' })).toBe(1)
    expect(sum('tieline_ingress_refusals_total', { ...stage, code: 'unauthenticated' })).toBe(1)
    expect(sum('tieline_ingress_refusals_total', { ...stage, client: 'derms', code: 'malformed-body' })).toBe(1)
    expect(sum('tieline_messages_settled_total', { ...stage, state: 'succeeded', outcome: 'SUCCESS' })).toBe(1)
    expect(sum('tieline_messages_settled_total', { ...stage, state: 'dead', outcome: 'FAILURE' })).toBe(1)
    expect(sum('tieline_message_retries_total', { ...stage, code: 'target-error' })).toBe(2)
    expect(sum('tieline_message_attempts_total', { ...stage, code: 'none' })).toBe(1)
    expect(sum('tieline_effects_total', { ...stage, state: 'unknown' })).toBe(3)
    expect(sum('tieline_effect_repeats_total', stage)).toBe(2)
    expect(sum('tieline_acknowledgment_lag_seconds_count', { flow: 'event-reservation' })).toBe(1)
    expect(sum('tieline_file_rows_total', { flow: 'event-reservation', result: 'confirmed' })).toBe(2)
    expect(sum('tieline_transfer_files_total', { transfer: 'nightly', result: 'sent' })).toBe(1)
    expect(sum('tieline_transfer_file_bytes_total')).toBe(5)
    expect(sum('tieline_mails_total', { result: 'refused' })).toBe(1)
    expect(sum('tieline_mails_total', { result: 'joined' })).toBeGreaterThan(0)
  })

  it('say the same of the installation in each process', () => {
    const processes = pages.length
    expect(valuesOf(pages, 'tieline_journal_up')).toEqual(Array(processes).fill(1))
    expect(valuesOf(pages, 'tieline_dead_letters', { flow: 'stage-status' })).toEqual(Array(processes).fill(1))
    expect(valuesOf(pages, 'tieline_open_messages', { flow: 'enrollment-sync-ack', state: 'retrying' })).toEqual(
      Array(processes).fill(1),
    )
    for (const age of valuesOf(pages, 'tieline_oldest_open_message_age_seconds', { flow: 'enrollment-sync-ack' })) {
      expect(age).toBeGreaterThan(0)
    }
    expect(valuesOf(pages, 'tieline_transfer_last_run_success')).toEqual(Array(processes).fill(1))
  })
})

const found = await findPromtool().catch((error: Error) => error)
const promtool: Promtool = (...args) => {
  if (found instanceof Error) throw found
  return found(...args)
}

describe.skipIf(found instanceof Error)('promtool', () => {
  it.each([
    ['takes the rules', ['check', 'rules', 'deploy/observe/alerts.yml']],
    ['takes the configuration', ['check', 'config', 'deploy/observe/prometheus.yml']],
    ['finds that rules fire when they should', ['test', 'rules', 'deploy/observe/alerts.test.yml']],
  ])('%s', (_, args) => {
    expect(promtool(args)).toContain('SUCCESS')
  })

  describe('on what the processes said', () => {
    const replay = async (cases: Parameters<typeof writeReplay>[2]): Promise<string> => {
      const directory = await mkdtemp(join(tmpdir(), 'tieline-replay-'))
      try {
        const file = join(directory, 'replay.yml')
        await writeReplay(file, looks, cases)
        return promtool(['test', 'rules', file])
      } finally {
        await rm(directory, { recursive: true })
      }
    }

    it('lets fire the rules about what happened, and no others', async () => {
      const expr = 'count by (alertname, flow) (ALERTS{alertstate="firing"})'
      const grown = ['enrollment-request', 'notification', 'stage-status']
      const expected = [
        ...grown.map((flow) => `{alertname="TielineDeadLettersGrow", flow="${flow}"}`),
        '{alertname="TielineMailRefused"}',
        '{alertname="TielineClientRefused", flow="stage-status"}',
      ]
      expect(await replay([{ expr, expected }])).toContain('SUCCESS')
    })

    it('shows something in every panel', async () => {
      // The Redis of tests has no limit.
      const asked = panelQueries.filter(({ where }) => where !== 'Redis memory')
      expect(await replay(asked.map(findsSomething))).toContain('SUCCESS')
    })
  })

  it('finds our metrics well named and explained', () => {
    // Those of Node are named by prom-client.
    const ours = (page: string) => page.split('\n').filter((line) => !/^(?:# (?:HELP|TYPE) )?nodejs_/.test(line))
    for (const page of pages) promtool(['check', 'metrics'], ours(page).join('\n'))
  })
})
