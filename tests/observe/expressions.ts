import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tieline/tools/generate'
import { parse } from 'yaml'

/** A query in the language of Prometheus, and where it stands. */
export interface Query {
  readonly where: string
  readonly expr: string
}

export interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')

export const rules: readonly Rule[] = (
  parse(read('deploy/observe/alerts.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules)

interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

export const dashboard = JSON.parse(read('deploy/observe/dashboards/tieline.json')) as {
  readonly panels: readonly Panel[]
}

export const panelQueries: readonly Query[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ where: title, expr })),
)

export const queries: readonly Query[] = [...rules.map(({ alert, expr }) => ({ where: alert, expr })), ...panelQueries]

/** A metric with the labels that select of it. */
export interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly value: string }[]
}

export const selectorsOf = (expr: string): Selector[] =>
  [...expr.matchAll(/\b((?:tieline|process|nodejs)_\w+|up|ALERTS)\b(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', inBraces = '']) => ({
      metric,
      matchers: [...inBraces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', value = '']) => ({
        label,
        value,
      })),
    }),
  )

/** Labels that its aggregations keep. */
export const groupedBy = (expr: string): string[] =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
