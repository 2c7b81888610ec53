import { ackTime } from '@tieline/contracts/date-time'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { deviceStatusAck, readDeviceStatusAnswer } from '@tieline/contracts/messages/device-status-ack'
import type { AckType, MsgAckResponse } from '@tieline/contracts/msg-ack'
import type { Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { TielineError } from '@tieline/runtime/error'
import { type End, endNotice, endOf, msgAckReply, wordsForSender } from '@tieline/worker-service/endings'
import { readMessage } from '@tieline/worker-service/message-reader'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { toDacsDeviceStatus, toDeviceStatusResponse } from '../mappings/device-status-ack.ts'
import { routeByRequest } from '../route-by-request.ts'

/** F5: the status that DERMS found goes to the communication of DACS that asked for it. */
export function createDeviceStatusAck(deps: WorkerDeps): Processor<LookupSnapshot> {
  const { connections, installation, clock, openReader } = deps
  const reply = (ackType: AckType, response: MsgAckResponse) =>
    msgAckReply({ ackType, whenISO: ackTime(clock()), responses: [response] }, installation.compat)

  return {
    flow: 'device-status-ack',

    async process(attempt, lookups) {
      const ack = await readMessage(openReader(attempt), deviceStatusAck, attempt.payload)
      const { dacsMessageId } = ack
      const request = { flow: 'device-status-check', dacsMessageId } as const
      const connection = await routeByRequest(attempt, lookups, deps, request)
      const dacs = connections.dacs(connection)
      const { atMs, answer } = await attempt.call(
        'status',
        dacs,
        'postDeviceStatus',
        { body: toDacsDeviceStatus(ack) },
        { keep: ({ body }) => ({ atMs: clock(), answer: readDeviceStatusAnswer(body) }) },
      )
      const response = toDeviceStatusResponse(answer, dacsMessageId, ackTime(atMs))
      return { state: 'succeeded', outcome: 'SUCCESS', reply: reply('SUCCESS', response) }
    },

    giveUp(attempt, error) {
      const end = deviceStatusEnd(error)
      const { outcome } = end
      const dacsMessageId = textOf(valueAt(attempt.payload, 'dacsMessageId'))
      const response = {
        value: wordsForSender(error),
        responseCode: outcome,
        responseTimeISO: ackTime(clock()),
        ...(dacsMessageId !== undefined && { dacsMessageId }),
      }
      return {
        ...end,
        code: error.code,
        reply: reply(outcome, response),
        notices: [endNotice({ attempt, error, end, installation, nowMs: clock() })],
      }
    },
  }
}

/** The guide knows no ERROR for a call that DACS answered, so its refusal is a FAILURE too (docs/wire-facts.md, F4 and F5). */
function deviceStatusEnd(error: TielineError): End {
  const end = endOf(error)
  return error.code === 'target-refused' ? { ...end, outcome: 'FAILURE' } : end
}
