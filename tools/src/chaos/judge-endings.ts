import { openStates } from '@tieline/journal/schema'
import type { Judge } from './history.ts'
import { toldBy } from './told.ts'

/** (1) Every message that was accepted, by what its caller was told or by the journal, settles or is dead; so does a score file. */
export const everyMessageEnds: Judge = ({ sent, messages, found }) => {
  const open = messages.filter(({ state }) => openStates.some((one) => one === state))
  const known = new Set(messages.map(({ key }) => key))
  const promised = sent.filter((request) => toldBy(request) !== 'nothing')
  const lost = new Set(promised.map(({ key }) => key).filter((key) => !known.has(key)))
  return [
    ...open.map(({ key, state }) => ({ what: `it is still ${state} at the end`, keys: [key] })),
    ...[...lost].map((key) => ({
      what: 'its caller was told that it is accepted, and the journal does not know it',
      keys: [key],
    })),
    ...found
      .filter(({ name }) => !/^(Sent|Error)-/.test(name))
      .map(({ name, transfer }) => ({ what: `the score file ${name} still waits`, keys: [transfer] })),
  ]
}

/** (7) Soon after the faults everything is settled, and every worker takes messages of each of its flows. */
export const everythingRecovers: Judge = ({ messages, recovery }) => {
  const { faultsEndedAt, deadline, settledAt, idle } = recovery
  const open = messages.filter(({ state }) => openStates.some((one) => one === state)).map(({ key }) => key)
  const late = settledAt === undefined || settledAt > deadline
  const took = settledAt === undefined ? 'not settled' : `settled after ${settledAt - faultsEndedAt} ms`
  return [
    ...(late ? [{ what: `${took}, the bound is ${deadline - faultsEndedAt} ms`, keys: open }] : []),
    ...idle.map((who) => ({ what: `${who} took no message after the faults`, keys: [] })),
  ]
}
