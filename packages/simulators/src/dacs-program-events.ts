import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Operation } from './far-side.ts'
import { dateTime, key, text } from './fields.ts'
import { demand, Refusal } from './refusal.ts'

const creation = z
  .strictObject({
    eventExternalIdentifier: key(120),
    externalIdentifier: key(120),
    programExternalIdentifier: key(120),
    programEventCategory: z.enum(['X1DT', 'X1EC', 'X1EM', 'X1RE']),
    startDateTime: dateTime,
    endDateTime: dateTime,
  })
  .refine(({ startDateTime, endDateTime }) => Date.parse(endDateTime) > Date.parse(startDateTime), {
    path: ['endDateTime'],
    message: 'not after startDateTime',
  })

const actions = ['F1CN', 'F1CO', 'X1IP', 'X1SD'] as const
type Action = (typeof actions)[number]

const lifecycle = z
  .strictObject({ eventExternalIdentifier: key(120), action: z.enum(actions), cancelReason: text(254) })
  .refine(({ action, cancelReason }) => action === 'F1CN' || cancelReason === undefined, {
    path: ['cancelReason'],
    message: 'only for a cancellation',
  })

const stateAfter = {
  X1SD: 'Scheduled',
  X1IP: 'In Progress',
  F1CO: 'Complete',
  F1CN: 'Canceled',
} as const satisfies Record<Action, string>

export type EventState = (typeof stateAfter)[Action]

const nextActions = {
  Scheduled: ['X1IP', 'F1CN'],
  'In Progress': ['F1CO', 'F1CN'],
  Complete: [],
  Canceled: [],
} as const satisfies Record<EventState, readonly Action[]>

export interface ProgramEvent {
  readonly programEventId: string
  readonly request: z.infer<typeof creation>
  status: EventState
  cancelReason?: string
  /** Every action that changed the event, the creation first. */
  readonly history: Action[]
}

/** F7: program events by external identifier, one per stage, with the transition table of docs/wire-facts.md, F7. */
export function createProgramEvents(programs: ReadonlySet<string>, withRoot: boolean) {
  const entries = new Map<string, ProgramEvent>()

  const createProgramEvent: Operation = {
    name: 'createProgramEvent',
    method: 'POST',
    path: '/cross/service/programEvent/',
    accepts: 'json',
    handle({ body }) {
      const request = demand(creation, body)
      const { externalIdentifier, programExternalIdentifier: program } = request
      const known = entries.get(externalIdentifier)
      if (known !== undefined && !isDeepStrictEqual(known.request, request)) {
        throw new Refusal(400, 'Program event already exists', `Program event ${externalIdentifier} already exists`)
      }
      if (!programs.has(program)) throw new Refusal(400, 'Program is not valid', `Program ${program} is not valid`)
      const programEventId = String(310_044_120_000 + entries.size)
      const entry = known ?? { programEventId, request, status: 'Scheduled', history: ['X1SD'] }
      entries.set(externalIdentifier, entry)
      const answer = { ...request, programEventId: entry.programEventId, status: entry.status }
      return { status: 200, body: answer, applied: known === undefined }
    },
  }

  const actionProgramEvent: Operation = {
    name: 'actionProgramEvent',
    method: 'POST',
    path: '/cross/service/programEvent/lifecycle',
    accepts: 'json',
    handle({ body }) {
      const { eventExternalIdentifier, action, cancelReason } = demand(lifecycle, body)
      const entry = resolve(entries, eventExternalIdentifier)
      const target = stateAfter[action]
      const isRepeat = entry.status === target
      const allowed: readonly Action[] = nextActions[entry.status]
      if (!isRepeat && !allowed.includes(action)) {
        throw new Refusal(400, 'Transition not allowed', `Program event is ${entry.status}, not open for ${action}`)
      }
      if (!isRepeat) {
        entry.status = target
        entry.history.push(action)
        if (cancelReason !== undefined) entry.cancelReason = cancelReason
      }
      const next = nextActions[target].map((name) => ({ action: name }))
      const answer = { eventExternalIdentifier, action, nextActions: next }
      return { status: 200, body: withRoot ? { X1ActPrgEvt: answer } : answer, applied: !isRepeat }
    },
  }
  return {
    entries,
    /** The program event that an identifier means, by its external identifier. @throws Refusal when there is none */
    resolve: (identifier: string) => resolve(entries, identifier).request.externalIdentifier,
    operations: [createProgramEvent, actionProgramEvent],
  }
}

/** By the stage's identifier; else by the event's, as long as only one stage has it (docs/wire-facts.md, F7). */
function resolve(entries: ReadonlyMap<string, ProgramEvent>, identifier: string): ProgramEvent {
  const exact = entries.get(identifier)
  if (exact !== undefined) return exact
  const stages = [...entries.values()].filter(({ request }) => request.eventExternalIdentifier === identifier)
  const [only] = stages
  if (only !== undefined && stages.length === 1) return only
  const detail = only === undefined ? 'does not exist' : 'has several program events'
  throw new Refusal(400, 'Program event not found', `Event ${identifier} ${detail}`)
}
