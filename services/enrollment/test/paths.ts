/** Builds nested objects and lists from dotted paths: `{ 'a.0.b': 1 }` is `{ a: [{ b: 1 }] }`. */
export function nested(leaves: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [path, leaf] of Object.entries(leaves)) {
    const names = path.split('.')
    let node: Record<string, unknown> = root
    for (const [depth, name] of names.entries()) {
      const following = names[depth + 1]
      if (following === undefined) node[name] = leaf
      else node[name] ??= /^\d+$/.test(following) ? [] : {}
      node = node[name] as Record<string, unknown>
    }
  }
  return root
}

/** The value at a dotted path, undefined when there is none. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], value)
