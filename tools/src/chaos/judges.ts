import type { Judge } from './history.ts'
import { acknowledgmentsAgree, noSuccessBeforeAllRows } from './judge-acknowledgments.ts'
import { noEffectIsLost } from './judge-effects.ts'
import { everyMessageEnds, everythingRecovers } from './judge-endings.ts'
import { orderIsKept } from './judge-order.ts'
import { noneIsAppliedTwice } from './judge-repeats.ts'
import { repliesAgree } from './judge-replies.ts'
import { resubmittedIsDone } from './judge-resubmissions.ts'

/** The properties that a run is judged by, in words. */
export const judges: Readonly<Record<string, Judge>> = {
  '(1) every accepted message settles or is dead': everyMessageEnds,
  '(2) no effect is lost': (history) => [...noEffectIsLost(history), ...resubmittedIsDone(history)],
  '(3) none is applied twice; a repeat follows a journaled doubt': noneIsAppliedTwice,
  '(4) replies and acknowledgments of a generation agree; a superseded one sends none': (history) => [
    ...repliesAgree(history),
    ...acknowledgmentsAgree(history),
  ],
  '(5) no positive acknowledgment before all rows are confirmed': noSuccessBeforeAllRows,
  '(6) calls of a line arrive in order of first acceptance': orderIsKept,
  '(7) all is settled within the bound, and every worker consumes': everythingRecovers,
}
