import type { DacsSimulator } from '@tieline/simulators/dacs'
import { bodiesOf, errorMail } from './observed.ts'

/** What a test of F1 sees of a list of records. */

/** Ids of the enrollments that reached DACS, in the order of their calls. */
export const sentIds = (dacs: DacsSimulator): string[] =>
  bodiesOf(dacs, 'enrollProgram').map((body) => (body as { transactionId: string }).transactionId)

/** The effects of these records, all in one state. */
export const stateOfAll = (state: string, ...ids: readonly string[]) =>
  Object.fromEntries(ids.map((id) => [`enroll.${id}`, state]))

/** An e-mail about a list, whose own id is a hash; `about` is what else the subject begins with. */
export const listMail = (
  code: string,
  key: string,
  facts: Parameters<typeof errorMail>[1],
  about = 'F1 Enrollment request:',
) => errorMail(`${about} ${code} ${key.split('.').at(-1)}`, facts)
