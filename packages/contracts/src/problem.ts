import { z } from 'zod'

export const problemMediaType = 'application/problem+json'

const fieldError = z.object({ path: z.string(), rule: z.string() })

/** A refusal of the ingress itself (RFC 9457), with a code of `failures.ts` and the fields at fault. */
export const problemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(fieldError).optional(),
})

export type ProblemDocument = z.infer<typeof problemDocument>
export type FieldError = z.infer<typeof fieldError>

/** A message with thousands of faults does not need an answer with thousands of lines. */
const fieldErrorsMax = 50

interface ProblemFacts {
  status: number
  /** Left out: the usual words for the status. */
  title?: string
  detail: string
  code: string
  errors?: readonly FieldError[]
}

/** Builds a problem document. Its texts name paths and rules, never values. */
export const problem = ({ status, title, detail, code, errors }: ProblemFacts): ProblemDocument => ({
  type: 'about:blank',
  title: title ?? reasonPhrase(status),
  status,
  detail,
  code,
  ...(errors !== undefined && { errors: [...errors] }),
})

const reasonPhrases: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export const reasonPhrase = (status: number): string => reasonPhrases[status] ?? `HTTP ${status}`

/** The first fifty faults of a parse: which field, which rule. Values and names of unknown fields stay out. */
export const describeIssues = (error: z.ZodError): FieldError[] =>
  error.issues.slice(0, fieldErrorsMax).map((issue) => ({ path: issue.path.join('.'), rule: ruleOf(issue) }))

function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`
    case 'too_small':
      return issue.minimum === 1 ? 'must not be empty' : `at least ${issue.minimum}${unitOf(issue.origin)}`
    case 'invalid_format':
      return `expected ${issue.format}`
    case 'invalid_value':
      return `one of ${issue.values.filter((value) => value !== '').join(', ')}`
    case 'unrecognized_keys':
      return 'unknown field'
    case 'invalid_union':
      // The first form is the one meant; the others stand for "nothing".
      return issue.errors[0]?.[0] === undefined ? 'no allowed form' : ruleOf(issue.errors[0][0])
    case 'custom':
      return issue.message
    default:
      return issue.code
  }
}

const unitOf = (origin: string): string => (origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '')
