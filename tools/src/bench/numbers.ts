import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure, Measurement } from './measurement.ts'

/** In the order of the page. */
const names = ['accept', 'awaited', 'forward', 'outcome', 'reservation', 'score', 'backlog'] as const

interface Result extends Measurement {
  /** ISO date and time of the measurement. */
  readonly at: string
  readonly machine: string
}

const readResults = (root: string): Result[] =>
  names.map((name) => JSON.parse(readFileSync(join(root, 'bench/results', `${name}.json`), 'utf8')) as Result)

const begin = '<!-- numbers: generated from bench/results -->'
const end = '<!-- end of numbers -->'

/** The page with its numbers written anew, between the two marks. */
export function withNumbers(page: string, root: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`No marks for numbers: ${begin} … ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${numbersTable(readResults(root))}\n\n${page.slice(to)}`
}

function numbersTable(results: readonly Result[]): string {
  const days = [...new Set(results.map(({ at }) => at.slice(0, 10)))].sort().join(', ')
  const machines = [...new Set(results.map(({ machine }) => machine))].join('; ')
  const head = ['what', 'against', 'measured', 'goal', '']
  const rows = results.flatMap(({ figures }) => figures.map((figure) => cells(figure)))
  const widths = head.map((title, i) =>
    Math.max(3, ...[title, ...rows.map((row) => row[i] ?? '')].map(({ length }) => length)),
  )
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  const where = `Measured on ${days}: ${machines}; everything on that machine, the load and the targets too.`
  return [where, '', line(head), rule, ...rows.map(line)].join('\n')
}

function cells(figure: Figure): string[] {
  const goal = goalOf(figure)
  return [
    figure.what,
    figure.against,
    withUnit(figure.value, figure.unit),
    goal === undefined ? '' : `${figure.atLeast === undefined ? 'at most' : 'at least'} ${withUnit(goal, figure.unit)}`,
    goal === undefined ? '' : isReached(figure) ? 'reached' : 'missed',
  ]
}

const withUnit = (value: number, unit: string) => [value.toLocaleString('en'), unit].join(' ').trim()
const goalOf = ({ atLeast, atMost }: Figure) => atLeast ?? atMost
/** 1 is the goal, more is better. */
const towardsGoal = ({ value, atLeast, atMost }: Figure): number =>
  atLeast === undefined ? (atMost ?? Number.NaN) / value : value / atLeast
const isReached = (figure: Figure) => towardsGoal(figure) >= 1

const rowHeight = 28
const barsAt = 330
const goalWidth = 240
/** A bar this many times as long as its goal is cut. */
const cutAt = 2

/** A bar for every number that has a goal, all drawn so that the goals are in one line. */
export function numbersChart(root: string): string {
  const figures = readResults(root)
    .flatMap((result) => result.figures)
    .filter((figure) => goalOf(figure) !== undefined)
  const height = figures.length * rowHeight + 54
  const bars = figures.map((figure, i) => {
    const y = 38 + i * rowHeight
    const length = Math.round(Math.min(towardsGoal(figure), cutAt) * goalWidth)
    return `  <text class="what" x="${barsAt - 12}" y="${y + 14}">${escaped(figure.what)}</text>
  <rect class="${isReached(figure) ? 'reached' : 'missed'}" x="${barsAt}" y="${y}" width="${length}" height="18" rx="2"/>
  <text x="${barsAt + length + 8}" y="${y + 14}">${escaped(cells(figure)[2] ?? '')}</text>`
  })
  const goalAt = barsAt + goalWidth
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 ${height}" role="img" aria-labelledby="title">
  <title id="title">What was measured, against what Tieline means to reach: a bar that ends right of the line is better than its goal</title>
  <style>
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2937 }
    .what { text-anchor: end }
    .goal { text-anchor: middle; font-weight: 600 }
    .panel { fill: #ffffff; stroke: #d1d5db }
    .reached { fill: #3b76c4 }
    .missed { fill: #d9822b }
    .line { stroke: #1f2937; stroke-width: 1.5; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e5e7eb }
      .panel { fill: #111827; stroke: #374151 }
      .line { stroke: #e5e7eb }
    }
  </style>
  <rect class="panel" x="0.5" y="0.5" width="959" height="${height - 1}" rx="6"/>
  <text class="goal" x="${goalAt}" y="22">goal</text>
${bars.join('\n')}
  <line class="line" x1="${goalAt}" y1="30" x2="${goalAt}" y2="${height - 14}"/>
</svg>
`
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
