import type { IncomingMessage } from 'node:http'
import type { Journal } from '@tieline/journal/journal'
import { keepRefusal, type RefusalToKeep } from '@tieline/journal/refusals/refusals'
import { createAllowance } from './allowance.ts'
import { type BodyHead, readOn } from './body-head.ts'
import type { Refusal } from './problems.ts'
import type { Exchange } from './receive.ts'
import { namesInside } from './refused-names.ts'

/** Whatever is the client's mistake, or a mistake in what we know of the client. */
const keptStatuses: ReadonlySet<number> = new Set([400, 403, 413, 415, 422])

/** A flood of refusals must cost neither the door nor Redis anything: what is beyond these is counted and told, not kept. */
const refusalsAllowed = { burst: 1_000, perS: 50 }
const bodyBytesAllowed = { burst: 4 * 2 ** 20, perS: 256 * 1024 }
const waitingMax = 1_000
const waitingBytesMax = 8 * 2 ** 20
const readingMax = 32

/** Digests need some time, also where e-mails are not joined otherwise. */
const periodMsMin = 60_000

interface Deps {
  /** Undefined: nothing can be written at the moment. */
  readonly journal: () => Journal | undefined
  readonly digestMinutes: number
}

export interface RefusalKeeper extends AsyncDisposable {
  /** Reads how the body of a refused request begins, if nobody has and it is to be kept. It takes a moment at most. */
  look(exchange: Exchange, refusal: Refusal): Promise<void>
  /** Keeps the refusal in the background; it never throws, and nobody waits for it. */
  keep(exchange: Exchange, refusal: Refusal): void
}

/**
 * Keeps what the ingress refused to known clients, one after another, so that somebody learns of it. When Redis is away or nearly
 * full, or too much is refused, it only counts.
 */
export function createRefusalKeeper({ journal, digestMinutes }: Deps): RefusalKeeper {
  const mayKeep = createAllowance(refusalsAllowed)
  const mayKeepBody = createAllowance(bodyBytesAllowed)
  const periodMs = Math.max(digestMinutes * 60_000, periodMsMin)
  const notKept = new Map<string, number>()
  const waiting: Omit<RefusalToKeep, 'more' | 'periodMs'>[] = []
  let waitingBytes = 0
  let reading = 0
  let working: Promise<void> | undefined

  const count = (kind: string, more: number) => void notKept.set(kind, (notKept.get(kind) ?? 0) + more)

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waitingBytes -= next.body.length
      const kind = kindOf(next.refusal)
      const more = notKept.get(kind) ?? 0
      notKept.delete(kind)
      const opened = journal()
      try {
        if (opened === undefined) count(kind, more + 1)
        else await keepRefusal(opened, { ...next, more, periodMs })
      } catch (error) {
        count(kind, more + 1)
        if (opened?.redis.status === 'ready') opened.logger.warn({ err: error, kind }, 'Could not keep a refusal')
      }
    }
    working = undefined
  }

  return {
    async look({ client, incoming, head }, { status }) {
      if (client === undefined || !keptStatuses.has(status)) return
      if (reading >= readingMax || journal() === undefined) return
      if (head === undefined || head.content().length > 0) return
      reading += 1
      await readOn(incoming, head)
      reading -= 1
    },

    keep(exchange, refusal) {
      const { client, flow, head, named, incoming } = exchange
      if (client === undefined || !keptStatuses.has(refusal.status)) return
      const { status, code, message: detail, errors = [] } = refusal
      const told = { flow, client, status, code, detail, errors }
      if (waiting.length >= waitingMax || journal() === undefined || !mayKeep(1)) return count(kindOf(told), 1)
      const body = bodyOf(head)
      waitingBytes += body.length
      const names = named ?? namesInside(flow, client, body)
      waiting.push({ refusal: told, names: { ...names, ...contentType(incoming) }, body })
      working ??= work()
    },

    async [Symbol.asyncDispose]() {
      await working
    },
  }

  function bodyOf(head: BodyHead | undefined): Buffer {
    const content = head?.content() ?? Buffer.alloc(0)
    return waitingBytes + content.length <= waitingBytesMax && mayKeepBody(content.length) ? content : Buffer.alloc(0)
  }
}

const kindOf = ({ flow, client, code }: RefusalToKeep['refusal']) => [flow, client, code].join('/')

const contentType = ({ headers }: IncomingMessage) => ({ contentType: headers['content-type']?.slice(0, 200) })
