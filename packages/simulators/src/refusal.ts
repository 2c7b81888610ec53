import type { z } from 'zod'

/** A request that the simulated system turns down. How it looks on the wire is the system's own affair. */
export class Refusal extends Error {
  readonly status: number
  readonly title: string
  readonly detail: string
  /** DACS: number of the framework message behind the refusal. */
  readonly messageNumber: number | undefined

  constructor(status: number, title: string, detail = title, messageNumber?: number) {
    super(`${status} ${title}`)
    this.name = 'Refusal'
    this.status = status
    this.title = title
    this.detail = detail
    this.messageNumber = messageNumber
  }
}

/** @throws Refusal 400 that names every property at fault and the rule it breaks */
export function demand<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new Refusal(400, 'Validation error', faults.join('; '))
}
