/** What a panel asks, by the name of each answer in the legend. */
export type Queries = Readonly<Record<string, string>>

export interface Panel {
  readonly title: string
  /** For whoever has never seen it: what it shows, and what is wrong when. */
  readonly description: string
  readonly unit: string
  readonly kind: 'stat' | 'timeseries' | 'table'
  readonly queries: Queries
  /** From this value on it is orange, from the second on red. */
  readonly thresholds?: readonly [number, number]
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Chosen at the top of the dashboard, so that it also works beside other sources. */
const datasource = { type: 'prometheus', uid: '$datasource' }

/** Of the 24 columns of a dashboard. */
const widths = { stat: 3, timeseries: 6, table: 9 } as const
const heights = { stat: 4, timeseries: 8, table: 8 } as const
const columns = 24

/** Lays rows out from left to right and from top to bottom, as Grafana stores a dashboard. */
export function layOut(rows: readonly Row[]): object[] {
  const placed: object[] = []
  let y = 0
  for (const row of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: columns, h: 1 },
    })
    y += 1
    let x = 0
    let height = 0
    for (const panel of row.panels) {
      const [w, h] = [widths[panel.kind], heights[panel.kind]]
      if (x + w > columns) {
        y += height
        x = 0
        height = 0
      }
      placed.push({ id: placed.length + 1, ...describe(panel), gridPos: { x, y, w, h } })
      x += w
      height = Math.max(height, h)
    }
    y += height
  }
  return placed
}

const describe = ({ title, description, unit, kind, queries, thresholds }: Panel) => ({
  type: kind,
  title,
  description,
  datasource,
  fieldConfig: { defaults: { unit, min: 0, ...colours(kind, thresholds), noValue: '–' }, overrides: [] },
  options: options[kind],
  targets: Object.entries(queries).map(([legendFormat, expr], i) => ({
    refId: String.fromCharCode(65 + i),
    datasource,
    expr,
    legendFormat,
    ...(kind === 'timeseries' ? {} : { instant: true }),
    ...(kind === 'table' && { format: 'table' }),
  })),
})

function colours(kind: Panel['kind'], thresholds: Panel['thresholds']): object {
  if (thresholds === undefined)
    return kind === 'timeseries' ? { custom: { fillOpacity: 10 } } : { color: { mode: 'fixed', fixedColor: 'text' } }
  const [orange, red] = thresholds
  const steps = [
    { color: 'green', value: null },
    { color: 'orange', value: orange },
    { color: 'red', value: red },
  ]
  return { thresholds: { mode: 'absolute', steps } }
}

const options = {
  stat: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'none', textMode: 'auto' },
  timeseries: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  table: { showHeader: true },
} as const
