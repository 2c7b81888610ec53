import type { Refusal } from './refusal.ts'

/** The error document of every DACS operation (docs/wire-facts.md, Error document of DACS). */
export function dacsProblem(refusal: Refusal, path: string): unknown {
  const { status, title, detail, messageNumber } = refusal
  const base = 'https://dacs.simulated'
  return {
    problemDetailDocument: {
      problemType: `${base}/rest/problem/${status}`,
      title,
      detail: `<![CDATA[${detail}]]>`,
      httpStatus: status,
      problemInstance: `${base}${path}`,
      ...(messageNumber !== undefined && {
        serverMessage: { messageCategory: 11531, messageNumber, messageText: title, messageParameters: [] },
      }),
    },
  }
}
