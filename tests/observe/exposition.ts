/** What was scraped of one metric: under its own name, so a histogram is three of them. */
export interface Scraped {
  readonly labels: ReadonlySet<string>
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** Reads the text format of Prometheus as far as our metrics use it. */
export function readExposition(text: string): Map<string, Scraped> {
  const found = new Map<string, { labels: Set<string>; samples: Scraped['samples'][number][] }>()
  for (const line of text.split('\n')) {
    const [, name, inBraces = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    const labels = Object.fromEntries(
      [...inBraces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', said = '']) => [label, said]),
    )
    const metric = found.get(name) ?? { labels: new Set(), samples: [] }
    for (const label of Object.keys(labels)) metric.labels.add(label)
    metric.samples.push({ labels, value: Number(value) })
    found.set(name, metric)
  }
  return found
}

/** What every process says, found by what it logged at its start. */
export async function scrape(log: readonly string[]): Promise<string[]> {
  const urls = [...log.join('').matchAll(/Metrics and health on (http:[^"]+)"/g)].map(([, url]) => url)
  return Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
}

/** The values of a metric with these labels, in each process that has it. */
export const valuesOf = (
  pages: readonly string[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number[] =>
  pages.flatMap((page) =>
    (readExposition(page).get(name)?.samples ?? [])
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .map(({ value }) => value),
  )
