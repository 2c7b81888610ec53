import type { z } from 'zod'
import { bend } from './bend.ts'
import { rebuilt } from './rebuilt.ts'
import { type RuleSettings, ruleOf } from './rules.ts'

/** What an installation says about reading; a part of its section `compat`. */
export interface ReadingSettings extends RuleSettings {
  /** `strict`: a value of another type than the contract's is refused. */
  readonly reading: 'tolerant' | 'strict'
  /** What becomes of a value that breaks a rule that nobody has published. */
  readonly unpublishedRules: 'warn' | 'refuse'
  /** IANA name, for date-times that say no zone. */
  readonly timezone: string
}

/** What was let pass. Paths as `params[].locationInfo.city`, each as often as it was met. */
export interface Leniency {
  /** Values that had another form than the contract's. */
  readonly bent: readonly string[]
  /** Values that break an unpublished rule and went on as they are. */
  readonly unpublished: readonly BrokenRule[]
}

export interface BrokenRule {
  readonly path: string
  /** Its name, as the installation file has it below `compat`: `lengths.city`. */
  readonly rule: string
}

export type Reading<Data> =
  /** `lenient` is there when the message did not fit as it came; `given` is what the contract was applied to. */
  { readonly data: Data; readonly given: unknown; readonly lenient?: Leniency } | { readonly error: z.ZodError }

export type ReadMessage = <Schema extends z.ZodType>(contract: Schema, value: unknown) => Reading<z.infer<Schema>>

/**
 * Reads messages by their contracts: as they came, and only where that fails bent to the contract's types and without the rules
 * that nobody has published. A message that fits costs one parse.
 */
export function createReading(settings: ReadingSettings): ReadMessage {
  const stated = forms((schema) => ruleOf(schema)?.stated(settings))
  const lifted = forms((schema) => ruleOf(schema)?.stated(settings) ?? ruleOf(schema)?.lifted())
  const warns = settings.unpublishedRules === 'warn'
  const { timezone } = settings

  return <Schema extends z.ZodType>(contract: Schema, value: unknown): Reading<z.infer<Schema>> => {
    const exact = stated(contract)
    const asItCame = exact.safeParse(value)
    if (asItCame.success) return { data: asItCame.data, given: value }
    const binding = warns ? lifted(contract) : exact
    const asItIs = { value, paths: [], result: undefined }
    const { issues } = asItCame.error
    const bent = settings.reading === 'strict' ? asItIs : bend(value, issues, { contract: binding, timezone })
    const { value: given, paths, result: read = binding.safeParse(value) } = bent
    if (!read.success) return { error: read.error }
    const broken = binding === exact ? [] : (exact.safeParse(given).error?.issues ?? [])
    const unpublished = broken.map(({ path, message }) => ({ path: formatPath(path), rule: message }))
    return { data: read.data, given, lenient: { bent: paths.map(formatPath), unpublished } }
  }
}

/** A contract without the rules that nobody has published, for a message whose values were judged when it was read. */
export const withoutUnpublishedRules = forms((schema) => ruleOf(schema)?.lifted())

/** Each contract is rebuilt when it is met first. */
function forms(replace: Parameters<typeof rebuilt>[1]) {
  const known = new WeakMap<z.ZodType, z.ZodType>()
  return <Schema extends z.ZodType>(contract: Schema): Schema => {
    let form = known.get(contract)
    if (form === undefined) {
      form = rebuilt(contract, replace)
      known.set(contract, form)
    }
    // Only rules of lengths and lists of codes differ, so the type of what comes out is the same.
    return form as Schema
  }
}

/** Indexes are of no concern to whoever counts: `params[].assetInfo.assetList[].nicId`. */
export const formatPath = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? '[]' : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
