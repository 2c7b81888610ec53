import { ackTime } from '@tieline/contracts/date-time'
import type { InboundFlowId } from '@tieline/contracts/flows'
import { type AckType, renderMsgAck } from '@tieline/contracts/msg-ack'
import { lastWordReply, provisionalReply } from '@tieline/contracts/replies'
import { leaveUncollected } from '@tieline/journal/intake'
import type { Acceptance } from '@tieline/journal/types'
import { effectiveFlow, type Installation } from '@tieline/runtime/installation'
import { type HttpAnswer, retryAfter } from './problems.ts'
import type { OpenStore } from './store.ts'
import { type Patience, waitForEnd } from './wait-for-end.ts'

export interface Accepted {
  readonly flow: InboundFlowId
  /** What the sender calls the records of the message, see `ownIds`. */
  readonly ids: readonly string[]
  readonly acceptance: Acceptance
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal
}

/** How a request ended after its message was accepted; for the access log. */
export type Ending = 'accepted' | 'replayed' | 'replied' | 'superseded' | 'provisional' | 'hung-up'

export interface Told {
  readonly answer: HttpAnswer
  readonly ending: Ending
}

/**
 * Answers for an accepted message: at once where the flow promises no more than that the message is kept, else when it has
 * settled. A caller whose message takes longer, or that no worker would work on, is told to come again for the result.
 */
export function createReply({ installation, store }: { installation: Installation; store: Patience }) {
  const { compat } = installation

  return async (opened: OpenStore, accepted: Accepted): Promise<Told> => {
    const { journal } = opened
    const { flow, acceptance, signal } = accepted
    const { replyMode, replyWithinS } = effectiveFlow(flow, installation)
    if (replyMode === 'accept') return { answer: taken(accepted), ending: 'accepted' }
    if (acceptance.kind === 'replayed')
      return { answer: acceptance.reply ?? withoutReply(accepted), ending: 'replayed' }

    const waited = await waitForEnd(opened, store, { flow, acceptance, withinMs: replyWithinS * 1_000, signal })
    if (waited.kind === 'settled') return { answer: waited.reply ?? withoutReply(accepted), ending: 'replied' }
    if (waited.kind === 'superseded') return { answer: superseded(accepted), ending: 'superseded' }

    const ending = signal.aborted ? 'hung-up' : 'provisional'
    await leaveUncollected(journal, acceptance, ending).catch((error: unknown) =>
      journal.logger.warn({ err: error, key: acceptance.key }, 'Could not note that nobody waits for a reply any more'),
    )
    return { answer: provisional(accepted), ending }
  }

  /** No page says whether an empty answer is enough for DERMS. */
  function taken({ ids }: Accepted): HttpAnswer {
    if (compat.acceptedReply === 'empty') return { status: 202 }
    const nowISO = ackTime(Date.now())
    const responses = ids.map((id) => ({ ...(id !== '' && { id }), responseCode: 'SUCCESS', responseTimeISO: nowISO }))
    return { status: 200, body: renderMsgAck({ ackType: 'SUCCESS', whenISO: nowISO, responses }, compat) }
  }

  function provisional({ flow, ids }: Accepted): HttpAnswer {
    const facts = { ids, form: compat, nowISO: ackTime(Date.now()) }
    const told = provisionalReply(flow, facts)
    return told.status === 503 ? { ...told, headers: retryAfter } : told
  }

  function superseded(accepted: Accepted): HttpAnswer {
    return lastWord(accepted, 'ERROR', 'SUPERSEDED', 'A newer message with the same id took the place of this one')
  }

  /** Only for messages that ended in a way nobody could word, such as one whose stored payload was damaged. */
  function withoutReply(accepted: Accepted): HttpAnswer {
    return lastWord(accepted, 'FAILURE', 'NO_RESULT', 'The message ended without a result')
  }

  function lastWord({ flow, ids }: Accepted, ackType: AckType, value: string, detail: string): HttpAnswer {
    return lastWordReply(flow, { ids, ackType, value, detail, form: compat, nowISO: ackTime(Date.now()) })
  }
}
