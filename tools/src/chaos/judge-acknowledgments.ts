import { acknowledgment } from '@tieline/contracts/acknowledgment'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { type AckType, readMsgAck } from '@tieline/contracts/msg-ack'
import { ackOperations } from './ack-desk.ts'
import { generationsOf } from './generations.ts'
import type { Call, History, Judge, Recorded, Sent, Violation } from './history.ts'
import { callsByTarget, findOwners, type Hit, intentsOf } from './intents.ts'
import { unlicensedAcks } from './judge-repeats.ts'

const flowsByAck = Object.fromEntries(
  Object.entries(ackOperations).map(([flow, operation]) => [operation, flow]),
) as Readonly<Record<string, keyof typeof ackOperations>>

const isAck = ({ operation }: Call) => flowsByAck[operation] !== undefined

/** (4) What DERMS hears of a file is how a generation of it ended; nothing of one that was withdrawn; twice only after a doubt. */
export const acknowledgmentsAgree: Judge = (history) => [
  ...history.messages.flatMap((message) => judgeFile(message, history)),
  ...[...callsByTarget(history.derms.filter(isAck))].flatMap(([target, hits]) => judgeCalls(target, hits, history)),
  ...unlicensedAcks(history),
]

/** Each generation of a file that settled has an acknowledgment with the same word. */
function judgeFile(message: Recorded, { messages }: History): Violation[] {
  if (!Object.hasOwn(ackOperations, message.flow)) return []
  const ends = generationsOf(message, []).flatMap(({ settled }) => settled?.outcome ?? [])
  const told = message.timeline
    .filter(({ what }) => what === 'acknowledging')
    .map(({ notice }) => ackTypeOf(messages.find(({ key }) => key === notice)))
  if (ends.join() === told.join()) return []
  return [{ what: `it ended ${ends.join(', ')}, and its acknowledgments say ${told.join(', ')}`, keys: [message.key] }]
}

const ackTypeOf = (message: Recorded | undefined): AckType | undefined =>
  acknowledgment.safeParse(message?.payload).data?.ack.ackType

function judgeCalls(target: string, hits: readonly Hit[], history: History): Violation[] {
  const owners = findOwners(history, target)
  const keys = owners.map(({ message }) => message.key)
  const strange = hits.some(({ mark }) => !owners.some(({ intent }) => intent.mark === mark))
  const withdrawn = owners.length === 1 ? owners[0]?.message.timeline.find(isWithdrawal)?.at : undefined
  const late = withdrawn === undefined ? [] : hits.filter(({ call }) => call.at > withdrawn)
  return [
    ...(strange ? [{ what: `DERMS was told ${target}, and no file ended so`, keys }] : []),
    // One may have been on its way.
    ...(late.length > 1 ? [{ what: `${target} was sent although it was withdrawn`, keys }] : []),
  ]
}

const isWithdrawal = ({ what }: Recorded['timeline'][number]) => what === 'superseded' || what === 'resolved'

/** (5) DERMS hears SUCCESS of a file only after DACS confirmed every row of it. */
export const noSuccessBeforeAllRows: Judge = ({ sent, dacs, derms, messages }) => {
  const confirmed = callsByTarget(dacs.filter(({ answered }) => answered === 200))
  // Each file in each of its versions, however often it was sent.
  const versions = new Map(sent.map((request) => [`${request.key} ${request.version}`, request])).values()
  const files = Map.groupBy(
    versions.filter(({ content }) => content !== undefined),
    ({ flow, body }) => `${flow} ${textOf(valueAt(body, 'messageId'))}`,
  )
  const isConfirmedBy = (at: number, { flow, body, content }: Sent) =>
    intentsOf(flow, body, content).every(({ target, mark }) =>
      (confirmed.get(target) ?? []).some((hit) => hit.call.at <= at && hit.mark === mark),
    )
  return derms.flatMap((call) => {
    const flow = flowsByAck[call.operation]
    const ack = readMsgAck(call.body)
    if (flow === undefined || ack?.ackType !== 'SUCCESS') return []
    const sentVersions = files.get(`${flow} ${ack.responses[0]?.id}`) ?? []
    if (sentVersions.some((one) => isConfirmedBy(call.at, one))) return []
    const keys = messages.filter(({ key }) => sentVersions.some((one) => one.key === key)).map(({ key }) => key)
    return [{ what: `DERMS was told SUCCESS of ${ack.responses[0]?.id} before all rows were confirmed`, keys }]
  })
}
