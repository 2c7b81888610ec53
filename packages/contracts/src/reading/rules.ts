import type { z } from 'zod'
import { assumedLength } from '../assumed.ts'

/**
 * Rules of the contracts that have a name, so that an installation can say otherwise: greatest lengths that nobody has
 * published, and lists of codes. A schema made here knows its rule; an issue of an unpublished rule has the rule's name for
 * its message.
 */

export type LengthRule = keyof typeof assumedLength
export const lengthRules = Object.keys(assumedLength) as LengthRule[]

export const codeRules = ['installationMethod', 'assetOwnership', 'eventOutcome'] as const
export type CodeRule = (typeof codeRules)[number]

/** What an installation says about single rules. */
export interface RuleSettings {
  readonly lengths: Readonly<Partial<Record<LengthRule, number | undefined>>>
  readonly codes: Readonly<Partial<Record<CodeRule, readonly string[] | undefined>>>
}

export interface Rule {
  /** The same schema with what the installation says; undefined when it says nothing about the rule. */
  stated(settings: RuleSettings): z.ZodType | undefined
  /** The same schema without the rule; undefined when the rule is published, so that breaking it refuses. */
  lifted(): z.ZodType | undefined
}

const rules = new WeakMap<z.ZodType, Rule>()

export const ruleOf = (schema: z.ZodType): Rule | undefined => rules.get(schema)

/** A text of an assumed greatest length. `text` makes the schema, without a length when there is none to keep. */
export function assumedText(name: LengthRule, text: (lengthMax?: number, ruleName?: string) => z.ZodString) {
  const schema = text(assumedLength[name], `lengths.${name}`)
  rules.set(schema, {
    stated({ lengths }) {
      const lengthMax = lengths[name]
      return lengthMax === undefined ? undefined : text(lengthMax)
    },
    lifted: () => text(),
  })
  return schema
}

/** One of a published list of codes. */
export function listedCode<Schema extends z.ZodType>(
  name: CodeRule,
  codes: readonly string[],
  code: (codes: readonly string[]) => Schema,
): Schema {
  const schema = code(codes)
  rules.set(schema, {
    stated({ codes }) {
      const known = codes[name]
      return known === undefined ? undefined : code(known)
    },
    lifted: () => undefined,
  })
  return schema
}
