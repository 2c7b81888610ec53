import { ackTime } from '@tieline/contracts/date-time'
import type { FailureCode } from '@tieline/contracts/failures'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { stageStatus } from '@tieline/contracts/messages/stage-status'
import type { AckType } from '@tieline/contracts/msg-ack'
import type { Attempt, Processor, Reply } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError, never, type TielineError } from '@tieline/runtime/error'
import { errorNotice, msgAckReply } from '@tieline/worker-service/endings'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { demand } from '../demand.ts'
import { mapStageStatus } from '../mappings/stage-status.ts'

/** F7: DERMS' stage statuses become program events of DACS and actions on them. */
export function createStageStatusProcessor({
  connections,
  installation: { compat },
  clock,
}: Pick<WorkerDeps, 'connections' | 'installation' | 'clock'>): Processor<LookupSnapshot> {
  const reply = (attempt: Attempt, ackType: AckType, value?: string): Reply => {
    const nowISO = ackTime(clock())
    const id = textOf(valueAt(attempt.payload, 'messageId'))
    const response = {
      ...(id !== undefined && { id }),
      ...(value !== undefined && { value }),
      responseCode: ackType,
      responseTimeISO: nowISO,
    }
    return msgAckReply({ ackType, whenISO: nowISO, responses: [response] }, compat)
  }

  return {
    flow: 'stage-status',

    async process(attempt, tables) {
      const message = demand(stageStatus, attempt.payload)
      const { effect, operation, body } = mapStageStatus(message, tables, compat)
      const by = { instance: message.drmsInstanceId ?? undefined }
      const dacs = connections.dacs(await attempt.pin('dacs', () => routeToDacs(tables, connections.kinds, by)))
      const { result } = await attempt.effect<Refusal | null>(effect, {
        operation,
        connection: dacs.name,
        call: () => dacs[operation](body, attempt.signal),
        confirmed: () => null,
        refused: toRefusal,
      })
      if (result !== null) throw toError(result)
      return { state: 'succeeded', outcome: 'SUCCESS', reply: reply(attempt, 'SUCCESS') }
    },

    giveUp(attempt, error) {
      const outcome = businessCodes.has(error.code) ? 'ERROR' : 'FAILURE'
      return {
        state: outcome === 'ERROR' ? 'refused' : 'dead',
        outcome,
        reply: reply(attempt, outcome, textForDerms(error)),
        code: error.code,
        notices: [errorNotice({ attempt, error, next: next[outcome], nowMs: clock() })],
      }
    },
  }
}

/** Bad data, bad configuration, a refusal: DERMS would only get the same answer again. */
const businessCodes: ReadonlySet<FailureCode> = new Set([
  'contract-violation',
  'lookup-missing',
  'routing-missing',
  'target-refused',
  'superseded',
])

const next = {
  ERROR:
    'DERMS is answered ERROR and does not send the message again. Nothing more happens unless it is rerun here or sent anew.',
  FAILURE:
    'DERMS is answered FAILURE and sends the message again as long as its MAX_RETRIES allows. It can also be resubmitted here.',
} as const

/** DACS' own words help DERMS' operators most; they go nowhere else. */
const textForDerms = (error: TielineError): string =>
  (error instanceof CallError ? error.farText : undefined) ?? error.message

/** What the journal keeps of a refusal, so that a crash after it needs no second call. */
interface Refusal {
  readonly connection: string
  readonly message: string
  readonly status?: number
  readonly farText?: string
}

const toRefusal = ({ connection, message, status, farText }: CallError): Refusal => ({
  connection,
  message,
  ...(status !== undefined && { status }),
  ...(farText !== undefined && { farText }),
})

const toError = (refusal: Refusal): CallError =>
  new CallError({ ...refusal, code: 'target-refused', retry: never, outcome: 'refused', durationMs: 0 })
