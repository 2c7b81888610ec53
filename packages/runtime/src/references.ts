import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Fault, formatPath } from './faults.ts'

interface Sources {
  readonly env: NodeJS.ProcessEnv
  /** Where relative names of `${file:PATH}` begin. */
  readonly baseDir: string
}

/**
 * Replaces `${NAME}` by an environment variable and `${file:PATH}` by a file's content, without its last line break,
 * in every text of a parsed document. What is put in is not looked at again, and it is always text, so no secret can
 * change the document's structure. A text whose reference fails is left as it stands and reported.
 */
export function resolveReferences(document: unknown, sources: Sources): { value: unknown; faults: Fault[] } {
  const faults: Fault[] = []

  const walk = (node: unknown, path: readonly PropertyKey[]): unknown => {
    if (typeof node === 'string')
      return resolveText(node, sources, (rule) => faults.push({ path: formatPath(path), rule }))
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]))
    if (typeof node === 'object' && node !== null) {
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, walk(value, [...path, key])]))
    }
    return node
  }

  return { value: walk(document, []), faults }
}

const reference = /\$\{([^}]*)(\}?)/g

function resolveText(text: string, { env, baseDir }: Sources, report: (rule: string) => void): string {
  return text.replace(reference, (whole, inside: string, end: string) => {
    const found = end === '' ? undefined : lookUp(inside)
    if (found?.value !== undefined) return found.value
    report(found?.rule ?? 'has a reference that names neither an environment variable nor, after "file:", a file')
    return whole
  })

  function lookUp(inside: string): { value?: string | undefined; rule: string } | undefined {
    if (inside.startsWith('file:')) return readSecret(resolve(baseDir, inside.slice('file:'.length)))
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(inside)) return undefined
    return { value: env[inside], rule: `needs the environment variable ${inside}, which is not set` }
  }
}

function readSecret(file: string): { value?: string; rule: string } {
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, ''), rule: '' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return { rule: `needs a file that cannot be read (${code})` }
  }
}
