import type { Judge } from './history.ts'
import { noEffectIsLost, noneIsAppliedTwice } from './judge-effects.ts'
import { everyMessageEnds, everythingRecovers } from './judge-endings.ts'
import { orderIsKept } from './judge-order.ts'
import { repliesAgree } from './judge-replies.ts'

/** The properties that a run is judged by, in words. */
export const judges: Readonly<Record<string, Judge>> = {
  '(1) every accepted message settles or is dead': everyMessageEnds,
  '(2) no effect is lost': noEffectIsLost,
  '(3) none is applied twice; a repeat follows a journaled doubt': noneIsAppliedTwice,
  '(4) replies of one generation agree; a superseded one tells none': repliesAgree,
  '(6) calls of a line arrive in order of first acceptance': orderIsKept,
  '(7) all is settled within the bound, and every worker consumes': everythingRecovers,
}
