import { z } from 'zod'
import { type Contract, contracts } from './contracts.ts'
import { examples } from './examples.ts'

/** JSON Schema (draft 2020-12) of every contract, as a sender has to keep it, with its golden examples. */
export const buildJsonSchemas = (): Record<string, object> =>
  Object.fromEntries(
    Object.entries<Contract>(contracts).map(([name, contract]) => {
      const { $schema, ...schema } = z.toJSONSchema(contract.schema, { io: 'input' })
      const golden = contract.examples.map((example) => examples[example])
      return [name, { $schema, title: contract.title, ...schema, ...(golden.length > 0 && { examples: golden }) }]
    }),
  )
