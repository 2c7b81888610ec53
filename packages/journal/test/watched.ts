import { expect } from 'vitest'
import type { Journal } from '../src/journal.ts'
import { readEffect } from '../src/kernel/effects.ts'
import { readPins } from '../src/kernel/pins.ts'
import {
  type Field,
  type FieldName,
  openStates,
  type Place,
  recordFields,
  type ScriptName,
  type Transition,
  transitions,
} from '../src/schema.ts'
import type { Held } from '../src/script-calls.ts'

type Snapshot = ReadonlyMap<string, Readonly<Record<string, string>>>

/** A journal that compares what each of its scripts does with the schema. Scripts must come one after another. */
export function watched(journal: Journal): Journal {
  return {
    ...journal,
    async run(name, args, blobs) {
      const before = await snapshot(journal)
      const audited = await auditLength(journal)
      const answer = await journal.run(name, args, blobs)
      const after = await snapshot(journal)
      const told = (await auditLength(journal)) > audited
      const own = 'key' in args ? args.key : undefined
      for (const key of new Set([...before.keys(), ...after.keys()])) {
        judge({ name, own: key === own, before: before.get(key), after: after.get(key), told })
      }
      const lost = ['gone', 'stale', 'superseded'].includes(answer.kind)
      if ('token' in args && name !== 'take' && !lost) await judgeRiders(journal, args as Held, after)
      return answer
    },
  }
}

async function snapshot({ redis, base }: Journal): Promise<Snapshot> {
  const keys = await redis.keys(`${base}:m:*`)
  const records = await Promise.all(keys.map((key) => redis.hgetall(key)))
  return new Map(keys.map((key, i) => [key.slice(`${base}:m:`.length), records[i] ?? {}]))
}

const auditLength = ({ redis, base }: Journal) => redis.xlen(`${base}:audit`)

interface Change {
  readonly name: ScriptName
  /** The script is about this message. */
  readonly own: boolean
  readonly before: Readonly<Record<string, string>> | undefined
  readonly after: Readonly<Record<string, string>> | undefined
  readonly told: boolean
}

function judge({ name, own, before, after, told }: Change): void {
  const [from, to] = [before?.state ?? 'nothing', after?.state ?? 'nothing'] as [Place, Place]
  const moved = from !== to || before?.generation !== after?.generation
  const fits = ({ by, from: wanted, to: reached, other }: Transition) =>
    by.includes(name) && wanted.includes(from) && reached.includes(to) && Boolean(other) === !own
  const found = transitions.filter(fits)
  if (moved) expect(found, `${name}: ${from} -> ${to}`).not.toEqual([])
  if (moved && own && from !== 'nothing' && to !== 'nothing')
    expect(told, `${name}: ${from} -> ${to} is audited`).toBe(found[0]?.emits?.includes('audit') ?? false)
  for (const [field, value] of Object.entries(after ?? {})) {
    const { scope, only, always }: Field = recordFields[field as FieldName] ?? expect.unreachable(`field ${field}`)
    const isOpen = openStates.some((state) => state === to)
    const isThere = only === undefined || (only === 'processing' ? to === only : isOpen === (only === 'open'))
    expect(isThere, `${name}: ${field} in ${to}`).toBe(true)
    const isReset = moved && !always && found[0]?.resets?.includes(scope)
    if (isReset) expect(before?.[field], `${name}: ${field} of before`).not.toBe(value)
  }
}

/** What rode with a script of an attempt is in the journal with it. */
async function judgeRiders({ redis, base }: Journal, args: Held, after: Snapshot): Promise<void> {
  const record = after.get(args.key)
  expect(readPins(record?.pins)).toMatchObject(args.pins ?? {})
  expect(readPins(record?.keptPins)).toMatchObject(args.keptPins ?? {})
  for (const { effect, state } of args.ended ?? []) {
    const stored = await redis.hget(`${base}:e:${args.key}`, effect)
    expect(stored && readEffect(stored).state, `effect ${effect}`).toBe(state)
  }
}
