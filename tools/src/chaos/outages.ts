import { setTimeout as delay } from 'node:timers/promises'
import { rerunAll } from '@tieline/journal/bulk'
import type { Journal } from '@tieline/journal/journal'
import { listMessages, type MessageSummary, summarize } from '@tieline/journal/operations'
import { openStates } from '@tieline/journal/schema'
import { outageKinds } from '@tieline/testkit/dacs-outages'
import { type Message, type StageStatus, stageStatus } from './bodies.ts'
import type { Callers } from './callers.ts'
import type { Faults } from './faults.ts'
import type { Bulk } from './history.ts'
import { toldBy } from './told.ts'
import type { World } from './world.ts'

const stagesOfEach = 3
const statuses: readonly StageStatus[] = ['SCHEDULED', 'IN_PROGRESS']
const outageAtMostMs = 40_000
const recoveryAtMostMs = 20_000

/**
 * A second DACS is away for longer than stage statuses are tried, in each way in which a target can be away. Then an operator
 * resubmits in bulk what ended dead, and again as long as something is.
 */
export async function runOutages(
  { outage }: Pick<World, 'outage'>,
  { journal, callers, say }: { journal: Journal; callers: Pick<Callers, 'send'>; say: Faults['say'] },
): Promise<Bulk[]> {
  const bulks: Bulk[] = []
  for (const kind of outageKinds) {
    const end = await outage.begin(kind)
    say(`the second DACS is away: ${kind}`)
    const stages = Array.from({ length: stagesOfEach }, (_, n) => `OUT-${kind.split(' ')[0]}-${n}`)
    const keys = (await Promise.all(stages.map((stage) => sendAll(stage, callers)))).flat()
    await until(outageAtMostMs, async () => (await inState(journal, keys, ['dead'])).length === keys.length)
    await end()
    say('the second DACS is back')
    await until(recoveryAtMostMs, async () => {
      // The newest first, as people see them.
      const dead = (await listMessages(journal, { flow: 'stage-status', state: 'dead', limit: 1_000_000 })).filter(
        ({ key }) => keys.includes(key),
      )
      if (dead.length === 0) return (await inState(journal, keys, openStates)).length === 0
      bulks.push({ at: Date.now(), keys: dead.map(({ key }) => key) })
      await rerunAll(journal, dead, { who: 'chaos', why: 'DACS is back', onlyDead: true })
      return false
    })
  }
  return bulks
}

/** Each status of a stage once it is known that the one before was accepted. @returns their keys */
async function sendAll(stage: string, { send }: Pick<Callers, 'send'>): Promise<string[]> {
  const keys: string[] = []
  for (const status of statuses) keys.push(await sendUntilTaken(atSecondSite(stageStatus(stage, status)), send))
  return keys
}

const atSecondSite = (message: Message): Message => ({
  ...message,
  body: (version) => ({ ...(message.body(version) as object), drmsInstanceId: 'SITE2' }),
})

async function sendUntilTaken(message: Message, send: Callers['send']): Promise<string> {
  for (;;) {
    const sent = await send(message, 0)
    if (toldBy(sent) !== 'nothing') return sent.key
    await delay(200)
  }
}

const inState = async (
  journal: Journal,
  keys: readonly string[],
  states: readonly string[],
): Promise<MessageSummary[]> => (await summarize(journal, keys)).filter(({ state }) => states.includes(state))

/** Redis is killed now and then; who asks meanwhile asks again. */
async function until(withinMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + withinMs
  while (Date.now() < end && !(await isSo().catch(() => false))) await delay(250)
}
