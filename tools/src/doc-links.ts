import { execFileSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from './generate.ts'

/**
 * Nothing points to what is not there: relative links of documents, paths of the repository that they name, and the documents and
 * headings that sources cite, as in `(docs/wire-facts.md, F7)`.
 */
export async function findBrokenLinks(): Promise<string[]> {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n')
  const read = (path: string) => readFile(join(root, path), 'utf8').catch(() => '')
  const faults = tracked.map(async (path) => {
    if (path.endsWith('.md')) return brokenPaths(path, await read(path))
    // A test may cite what is not there.
    if (/(?<!\.test)\.(ts|lua)$/.test(path)) return brokenCitations(path, await read(path))
    return []
  })
  return (await Promise.all(faults)).flat()
}

async function brokenPaths(page: string, text: string): Promise<string[]> {
  const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, link = '']) =>
    join(dirname(page), link),
  )
  const paths = [...text.matchAll(/`((?:packages|services|tools|tests|docs|config)\/[\w./-]+\.\w+)`/g)].map(
    ([, path = '']) => path,
  )
  const checks = [...new Set([...links, ...paths])].map((path) =>
    access(join(root, path)).then(
      () => [],
      () => [`${page}: ${path} does not exist`],
    ),
  )
  return (await Promise.all(checks)).flat()
}

/** What a source cites and is not there. */
export async function brokenCitations(file: string, text: string): Promise<string[]> {
  const citations = [...text.matchAll(/\((docs\/[\w./-]+\.md)(?:, ([^)]+))?\)/g)]
  const checks = citations.map(async ([citation, document = '', heading]) => {
    const cited = await readFile(join(root, document), 'utf8').catch(() => undefined)
    const words = heading?.replace(/\s*\n[\s*/-]*/g, ' ')
    const isThere = cited !== undefined && (words === undefined || `\n${cited}`.includes(`\n## ${words}\n`))
    return isThere ? [] : [`${file}: nothing is there that ${citation} cites`]
  })
  return (await Promise.all(checks)).flat()
}
