import { setTimeout as delay } from 'node:timers/promises'
import type { Journal } from '../journal.ts'
import type { EndedCall, Held, Lost, ScriptCalls } from '../script-calls.ts'
import { type AnswerOf, type ArgumentsOf, type Blob, isPassing } from './scripts.ts'

/** The attempt must not write any more: `superseded` by a newer payload, `stale` because another worker took over. */
export class AttemptLost extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(`The attempt lost its message: ${reason}`)
    this.name = 'AttemptLost'
    this.reason = reason
  }
}

/** The scripts of an attempt. */
type HeldName = {
  [Name in keyof ScriptCalls]: ScriptCalls[Name]['args'] extends Held ? Name : never
}[keyof ScriptCalls]
export type Written<Name extends HeldName> = Exclude<AnswerOf<Name>, Lost>

/**
 * All that an attempt writes. Each script shows the attempt's token. What was chosen and how calls ended rides with the next script, in the
 * same step: nothing that follows from it is there without it, and it costs no trip of its own.
 */
export interface Pen {
  /** @throws AttemptLost or JournalError, from then on always */
  write<Name extends HeldName>(
    name: Name,
    args: Omit<ArgumentsOf<Name>, keyof Held>,
    blobs?: readonly Blob[],
  ): Promise<Written<Name>>
  /** Rides with the next script, or goes by itself when none comes at once. */
  ended(call: EndedCall): void
  chose(where: 'pins' | 'keptPins', name: string, value: string): void
  /** Something that was written is not yet known to be kept; then the next end of the attempt waits for it. */
  isBusy(): boolean
  /** What has been told until now is in the journal. */
  flush(): Promise<void>
}

interface PenOptions {
  readonly journal: Journal
  readonly key: string
  readonly run: string
  readonly token: string
  readonly signal: AbortSignal
}

type Choices = Record<string, string>

export function createPen({ journal, key, run, token, signal }: PenOptions): Pen {
  let waiting: EndedCall[] = []
  const chosen: { pins: Choices; keptPins: Choices } = { pins: {}, keptPins: {} }
  const underWay = new Set<Promise<unknown>>()
  let broken: { readonly error: unknown } | undefined
  let soon: NodeJS.Immediate | undefined

  const pen: Pen = {
    async write(name, args, blobs) {
      // An attempt does not end before all that it had to tell is known to be kept.
      if (underWay.size > 0 && (name === 'settle' || name === 'retry')) await Promise.all(underWay)
      if (broken) throw broken.error
      const { ended, pins, keptPins } = take()
      const before = [...underWay]
      const writing = send(name, { key, run, token, ended, pins, keptPins, ...args } as ArgumentsOf<typeof name>, blobs)
      underWay.add(writing)
      try {
        const [answer] = await Promise.all([writing, ...before])
        forget('pins', pins)
        forget('keptPins', keptPins)
        return answer
      } catch (error) {
        broken ??= { error }
        throw error
      } finally {
        underWay.delete(writing)
      }
    },
    ended(call) {
      waiting.push(call)
      schedule()
    },
    chose(where, name, value) {
      chosen[where][name] = value
      schedule()
    },
    isBusy: () => underWay.size > 0,
    async flush() {
      if (isWaiting()) await pen.write('outcome', {})
      await Promise.all(underWay)
    },
  }

  async function send<Name extends HeldName>(name: Name, args: ArgumentsOf<Name>, blobs?: readonly Blob[]) {
    const answer = await whilePassing(signal, () => journal.run(name, args, blobs))
    if (isLost(answer)) throw new AttemptLost(answer.kind)
    return answer as Written<Name>
  }

  const isWaiting = () =>
    [waiting, Object.keys(chosen.pins), Object.keys(chosen.keptPins)].some(({ length }) => length > 0)

  /** What rides with a script. Choices do so until one that had them is known to be kept. */
  function take(): Pick<Held, 'ended' | 'pins' | 'keptPins'> {
    clearImmediate(soon)
    soon = undefined
    const ended = waiting
    waiting = []
    const some = (choices: Choices) => (Object.keys(choices).length > 0 ? { ...choices } : undefined)
    const [pins, keptPins] = [some(chosen.pins), some(chosen.keptPins)]
    return { ...(ended.length > 0 && { ended }), ...(pins && { pins }), ...(keptPins && { keptPins }) }
  }

  function forget(where: 'pins' | 'keptPins', kept: Choices | undefined): void {
    for (const [name, value] of Object.entries(kept ?? {}))
      if (chosen[where][name] === value) delete chosen[where][name]
  }

  function schedule(): void {
    // The next write says what went wrong.
    soon ??= setImmediate(() => void pen.flush().catch(() => undefined))
  }

  return pen
}

const isLost = (answer: { readonly kind: string }): answer is Lost =>
  answer.kind === 'gone' || answer.kind === 'stale' || answer.kind === 'superseded'

/** Redis being full or failing over is waited for: what a target answered must get into the journal. */
async function whilePassing<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error
      await delay(250)
    }
  }
}
