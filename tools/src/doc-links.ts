import { execFileSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from './generate.ts'

/** A document never points to what is not there: relative links, and paths of the repository in code marks. */
export async function findBrokenLinks(): Promise<string[]> {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const pages = tracked.split('\n').filter((path) => path.endsWith('.md'))
  const broken = pages.map(async (page) => {
    const text = await readFile(join(root, page), 'utf8').catch(() => '')
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
  })
  return (await Promise.all(broken)).flat()
}
