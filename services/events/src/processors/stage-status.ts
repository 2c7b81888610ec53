import { ackTime } from '@tieline/contracts/date-time'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { stageStatus } from '@tieline/contracts/messages/stage-status'
import type { AckType } from '@tieline/contracts/msg-ack'
import type { Attempt, Processor, Reply } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { endNotice, endOf, msgAckReply, wordsForSender } from '@tieline/worker-service/endings'
import { readMessage } from '@tieline/worker-service/message-reader'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { mapStageStatus } from '../mappings/stage-status.ts'

/** F7: DERMS' stage statuses become program events of DACS and actions on them. */
export function createStageStatusProcessor({
  connections,
  installation,
  clock,
  openReader,
}: Pick<WorkerDeps, 'connections' | 'installation' | 'clock' | 'openReader'>): Processor<LookupSnapshot> {
  const { compat } = installation
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
      await attempt.call(effect, dacs, operation, { body })
      return { state: 'succeeded', outcome: 'SUCCESS', reply: reply(attempt, 'SUCCESS') }
    },

    giveUp(attempt, error) {
      const end = endOf(error)
      return {
        ...end,
        reply: reply(attempt, end.outcome, wordsForSender(error)),
        code: error.code,
        notices: [endNotice({ attempt, error, end, installation, nowMs: clock() })],
      }
    },
  }
}
