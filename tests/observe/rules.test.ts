import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tieline/tools/generate'
import { describe, expect, it } from 'vitest'
import { dashboard, rules } from './expressions.ts'

const headings = readFileSync(join(root, 'docs/runbook.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('## '))
  .map((line) =>
    line
      .slice(3)
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )

describe('each alert', () => {
  it('says how urgent it is, what happened, what that means, and which section of the runbook helps', () => {
    for (const { alert, labels = {}, annotations = {} } of rules) {
      expect(alert).toMatch(/^Tieline[A-Z][A-Za-z]+$/)
      expect(['critical', 'warning']).toContain(labels.severity)
      expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook', 'summary'])
      const [page, section] = annotations.runbook?.split('#') ?? []
      expect(page).toBe('docs/runbook.md')
      expect(headings).toContain(section)
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  })

  it('is made to fire by a test of promtool', () => {
    const tests = readFileSync(join(root, 'deploy/observe/alerts.test.yml'), 'utf8')
    expect(rules.map(({ alert }) => alert).filter((alert) => !tests.includes(alert))).toEqual([])
  })

  it('asks for the greatest of what every process says, never for a sum of it', () => {
    const ofInstallation =
      /tieline_(?:open_messages|oldest_open|dead_letters|flow_paused|worker_seen|mails_joined|transfer_(?!file)|redis_memory)/
    const counted = [
      ...rules.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ]
    const asking = counted.filter((expr) => ofInstallation.test(expr))
    expect(asking.length).toBeGreaterThan(15)
    for (const expr of asking) expect(expr).toMatch(/max(?: by \([^)]*\) )?\(\s*(?:increase\()?tieline_/)
  })
})

describe('the dashboard', () => {
  it('has no panels that lie on others, and none without a question', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { type, targets = [] } of dashboard.panels) if (type !== 'row') expect(targets).not.toEqual([])
  })
})
