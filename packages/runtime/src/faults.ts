import type { z } from 'zod'

/** One thing wrong with a configuration: where it stands and which rule it breaks, never its value. */
export interface Fault {
  readonly path: string
  readonly rule: string
}

/** Every fault of a failed parse, in the order of the schema. */
export const faultsOf = (error: z.ZodError): Fault[] => error.issues.flatMap((issue) => faultsOfIssue(issue, []))

/** `connections.DACS_MAIN.auth`, `ingress.clients[0].name`; the whole document is `(document)`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const joined = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${formatKey(String(part))}`)).join('')
  return joined === '' ? '(document)' : joined.replace(/^\./, '')
}

/** What to say where a schema has no words of its own. */
export const missingIsRequired: z.core.$ZodErrorMap = (issue) => (issue.input === undefined ? 'is required' : undefined)

/** A missing space or bracket turns a secret into a key, so a key is repeated only when it looks like one. */
const formatKey = (key: string): string => (/^[\w-][\w.-]{0,63}$/.test(key) ? key : '?')

function faultsOfIssue(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Fault[] {
  const path = [...above, ...issue.path]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: formatPath([...path, key]), rule: 'is not a known key' }))
    case 'invalid_union': {
      const meant = meantBranch(issue.errors)
      if (meant !== undefined) return meant.flatMap((inner) => faultsOfIssue(inner, path))
      return [{ path: formatPath(path), rule: issue.message }]
    }
    default:
      return [{ path: formatPath(path), rule: issue.message }]
  }
}

/** The branch of a union that the author must have meant: the only one whose faults all lie below the union itself. */
function meantBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const fitting = branches.filter((issues) => issues.every(({ path }) => path.length > 0))
  return fitting.length === 1 ? fitting[0] : undefined
}
