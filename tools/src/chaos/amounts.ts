import { type FlowId, flowIds } from '@tieline/contracts/flows'
import type { History, Recorded } from './history.ts'

export interface Amount {
  readonly what: string
  readonly count: number
  readonly least: number
}

/** As much of a history as is counted. */
export interface Countable extends Pick<History, 'dacs' | 'derms' | 'faults'> {
  readonly messages: readonly Pick<Recorded, 'flow' | 'generation'>[]
}

/** What a run must have been made of: one in which little happened proves little. */
export function amountsOf({ dacs, derms, messages, faults }: Countable): Amount[] {
  // A transfer is one message for ever, and each run of it a generation.
  const ofFlow = (flow: FlowId) =>
    messages
      .filter((message) => message.flow === flow)
      .reduce((sum, { generation }) => sum + (flow === 'device-score' ? generation : 1), 0)
  const kills = (isMeant: (process: string) => boolean) =>
    faults.filter(({ what }) => what.startsWith('SIGKILL ') && isMeant(what.split(/[ ,]/)[1] ?? '')).length
  // Everything that has its share in what is promised to DACS and DERMS; e-mails come on top.
  const flows = flowIds.filter((flow) => flow !== 'notification').map((flow) => ({ flow, count: ofFlow(flow) }))
  const total = flows.reduce((sum, { count }) => sum + count, 0)

  return [
    { what: 'messages', count: total, least: 2_000 },
    ...flows.map(({ flow, count }) => ({ what: `of ${flow}`, count, least: 20 })),
    { what: 'workers killed', count: kills((name) => name !== 'ingress' && name !== 'redis'), least: 10 },
    { what: 'ingress killed', count: kills((name) => name === 'ingress'), least: 10 },
    { what: 'Redis killed', count: kills((name) => name === 'redis'), least: 10 },
    {
      what: 'answers lost after applying',
      count: [...dacs, ...derms].filter(({ answered, applied }) => answered === 'dropped' && applied).length,
      least: 50,
    },
  ]
}

/** What there was too little of for the run to count. */
export const missingOf = (history: Countable): Amount[] =>
  amountsOf(history).filter(({ count, least }) => count < least)
