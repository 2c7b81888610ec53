import { ackTime } from '@tieline/contracts/date-time'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { stageStatus } from '@tieline/contracts/messages/stage-status'
import type { AckType } from '@tieline/contracts/msg-ack'
import type { Attempt, Processor, Reply } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError, type TielineError } from '@tieline/runtime/error'
import { deliver } from '@tieline/worker-service/deliver'
import { endOf, errorNotice, msgAckReply } from '@tieline/worker-service/endings'
import { readMessage } from '@tieline/worker-service/message-reader'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { mapStageStatus } from '../mappings/stage-status.ts'

/** F7: DERMS' stage statuses become program events of DACS and actions on them. */
export function createStageStatusProcessor({
  connections,
  installation: { compat },
  clock,
  openReader,
}: Pick<WorkerDeps, 'connections' | 'installation' | 'clock' | 'openReader'>): Processor<LookupSnapshot> {
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
      const message = await readMessage(openReader(attempt), stageStatus, attempt.payload)
      const { effect, operation, body } = mapStageStatus(message, tables, compat)
      const by = { instance: message.drmsInstanceId ?? undefined }
      const dacs = connections.dacs(await attempt.pin('dacs', () => routeToDacs(tables, connections.kinds, by)))
      await deliver(attempt, effect, {
        operation,
        connection: dacs.name,
        call: () => dacs[operation](body),
        keep: () => ({}),
      })
      return { state: 'succeeded', outcome: 'SUCCESS', reply: reply(attempt, 'SUCCESS') }
    },

    giveUp(attempt, error) {
      const end = endOf(error)
      return {
        ...end,
        reply: reply(attempt, end.outcome, textForDerms(error)),
        code: error.code,
        notices: [errorNotice({ attempt, error, next: next[end.outcome], nowMs: clock() })],
      }
    },
  }
}

const next = {
  ERROR:
    'DERMS is answered ERROR and does not send the message again. Nothing more happens unless it is rerun here or sent anew.',
  FAILURE:
    'DERMS is answered FAILURE and sends the message again as long as its MAX_RETRIES allows. It can also be resubmitted here.',
} as const

/** DACS' own words help DERMS' operators most; they go nowhere else. */
const textForDerms = (error: TielineError): string =>
  (error instanceof CallError ? error.farText : undefined) ?? error.message
