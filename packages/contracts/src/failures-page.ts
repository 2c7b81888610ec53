import { failures } from './failures.ts'

/** The Markdown of `docs/failures.md`: one section for each failure code. */
export function failuresPage(): string {
  const sections = Object.entries(failures).map(
    ([code, { meaning, next }]) => `## ${code}\n\n${meaning}\n\n**What to do:** ${next}\n`,
  )
  return `${introduction}\n${sections.join('\n')}`
}

const introduction = `# Failure codes

<!-- Generated from packages/contracts/src/failures.ts by \`pnpm generate\`. Change it there. -->

Operators meet these codes in the console and on the command line, administrators in e-mails, callers in problem documents.
How long Tieline tries by itself depends on the flow: see [the runbook](runbook.md#dacs-or-derms-is-down).
`
