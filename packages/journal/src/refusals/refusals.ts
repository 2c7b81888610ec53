import { randomBytes } from 'node:crypto'
import type { FailureCode } from '@tieline/contracts/failures'
import { type FlowId, flowIds } from '@tieline/contracts/flows'
import { namedMax } from '@tieline/contracts/notice'
import { type RefusedRequest, refusedNotice } from '@tieline/contracts/notice-words'
import { dayMs, type Journal, refusalContext } from '../journal.ts'
import { dueBlobs, dueFields, enqueueDue, noticeMessage } from '../kernel/due-messages.ts'
import { windowContext } from '../mail/windows.ts'
import { newestFirst, type Span } from '../newest-first.ts'
import { noteAction, type Operator } from '../operations.ts'

/** A request of a known client that the ingress refused: nothing of it was accepted. */
export interface DoorRefusal extends RefusedRequest {
  readonly code: FailureCode
}

/** What the request itself said, so it may be anything: it is kept sealed. */
export interface RefusedNames {
  readonly instance?: string | undefined
  readonly ids: readonly string[]
  readonly contentType?: string | undefined
}

export interface RefusalToKeep {
  readonly refusal: Omit<DoorRefusal, 'id' | 'at'>
  readonly names: RefusedNames
  /** How the body began; empty when nothing of it is to be kept. */
  readonly body: Buffer
  /** So many more of flow, client and code were refused meanwhile that are not kept, only told. */
  readonly more: number
  /** Those of one kind within this time are one e-mail after the first. */
  readonly periodMs: number
}

const keepMs = 7 * dayMs
const countMax = 1_000

/** Of the kept bodies of one flow; beyond it the oldest go. All flows together must not fill a small Redis. */
const bodyBytesMax = 4 * 2 ** 20

/**
 * Keeps a refusal, and makes the e-mail due that tells of the first of its kind, in one script.
 * @throws JournalError: nothing was kept
 */
export async function keepRefusal(journal: Journal, { refusal, names, body, more, periodMs }: RefusalToKeep) {
  const at = journal.clock()
  // In the order of time, as far as ids can be. Without a dot, so that it is never the key of a message.
  const id = `R${at.toString(36)}-${randomBytes(4).toString('hex')}`
  const { flow, client, status, code, detail, errors } = refusal
  const notice = refusedNotice({ ...refusal, id, at })
  const { kind, occurredAt, summary, next } = notice
  const window = ['refusal', flow, client, code].join('/')
  const mails = [noticeMessage(journal, notice, id)]
  const sealedNames = journal.sealer.seal(JSON.stringify(names), refusalContext(id, 'names'))
  const named = {
    id,
    flow,
    client,
    status,
    code,
    facts: JSON.stringify({ detail, errors, names: sealedNames }),
    keepMs,
    countMax,
    bytesMax: bodyBytesMax,
    window,
    about: { kind, flow, code, client, occurredAt, next: `For each of them, as for the first: ${next}` },
    more,
    periodMs,
    namedMax,
    ...dueFields(mails),
  }
  // Bytes as characters, so that what is no UTF-8 comes back as it came.
  const sealed = body.length === 0 ? '' : journal.sealer.sealBytes(body.toString('latin1'), refusalContext(id, 'body'))
  const words = journal.sealer.seal(JSON.stringify({ refusal: id, summary, occurredAt }), windowContext(window))
  const answer = await journal.run('refuse', named, [...dueBlobs(mails, sealed), words])
  if (answer.kind === 'due') await enqueueDue(journal, mails)
}

/** Forgets what is past its time. */
export async function trimRefusals(journal: Journal): Promise<void> {
  for (const flow of flowIds) await journal.run('refuse', { flow, keepMs, countMax })
}

/** A refusal with what is sealed of it, besides the body. */
export type KeptRefusal = DoorRefusal & RefusedNames

/** Refusals by their ids, without those that are not kept any more. */
export async function readRefusals(journal: Journal, ids: readonly string[]): Promise<KeptRefusal[]> {
  if (ids.length === 0) return []
  const pipeline = journal.redis.pipeline()
  for (const id of ids) pipeline.hgetall(`${journal.base}:dr:${id}`)
  const answers = (await pipeline.exec()) ?? []
  return answers.flatMap(([error, fields], i) => {
    if (error) throw error
    return readRefusal(journal, ids[i] ?? '', fields as Record<string, string>)
  })
}

function readRefusal(journal: Journal, id: string, fields: Record<string, string>): KeptRefusal[] {
  const { flow, client = '', at, status, code, facts } = fields
  if (facts === undefined) return []
  const { names, ...told } = JSON.parse(facts) as Pick<DoorRefusal, 'detail' | 'errors'> & { names: string }
  const known = { id, at: Number(at), flow: flow as FlowId, client, status: Number(status), code: code as FailureCode }
  return [{ ...known, ...told, ...openNames(journal, id, names) }]
}

/** What was sealed with a key that is gone is left out; everything else is still worth reading. */
function openNames({ sealer, logger }: Journal, id: string, sealed: string): RefusedNames {
  try {
    return JSON.parse(sealer.open(sealed, refusalContext(id, 'names'))) as RefusedNames
  } catch {
    logger.warn({ refusal: id }, 'The ids of a refused request cannot be read')
    return { ids: [] }
  }
}

/**
 * How the body of a refused request began; undefined when it is not kept, or not kept any more. It may hold personal data:
 * callers show it to nobody without a reason.
 * @throws TielineError `payload-unreadable`
 */
export async function readRefusedBody({ redis, base, sealer }: Journal, id: string): Promise<Buffer | undefined> {
  const sealed = await redis.getBuffer(`${base}:db:${id}`)
  return sealed === null ? undefined : Buffer.from(sealer.openBytes(sealed, refusalContext(id, 'body')), 'latin1')
}

export interface RefusalFilter extends Span {
  readonly flow?: FlowId | undefined
  readonly code?: string | undefined
  readonly client?: string | undefined
  readonly instance?: string | undefined
  /** Only those that nobody has discarded. */
  readonly unseen?: boolean | undefined
}

/** The ids of the refusals of a flow by time, or of those that nobody has discarded; see `lua/refuse.lua`. */
export const refusalSet = (base: string, flow: FlowId, which?: 'unseen'): string =>
  `${base}:d:${flow}${which === undefined ? '' : `:${which}`}`

/** Kept refusals, the latest first, in pages. */
export async function* refusalsNewestFirst(
  journal: Journal,
  filter: RefusalFilter = {},
): AsyncGenerator<KeptRefusal[]> {
  const { flow, code, client, instance, unseen } = filter
  const sets = (flow ? [flow] : flowIds).map((id) => refusalSet(journal.base, id, unseen ? 'unseen' : undefined))
  for await (const page of newestFirst(journal.redis, sets, filter)) {
    const refusals = await readRefusals(
      journal,
      page.map(({ member }) => member),
    )
    yield refusals.filter(
      (refusal) =>
        (code === undefined || refusal.code === code) &&
        (client === undefined || refusal.client === client) &&
        (instance === undefined || refusal.instance === instance),
    )
  }
}

/** Refusals whose requests carried an id, the latest first. There are few enough to look at each. */
export async function findRefusals(journal: Journal, id: string): Promise<KeptRefusal[]> {
  const wanted = id.toLowerCase()
  const pages = await Array.fromAsync(refusalsNewestFirst(journal))
  return pages.flat().filter(({ ids }) => ids.some((one) => one.toLowerCase() === wanted))
}

/** Notes that somebody looks at what may be personal. */
export const auditReveal = (journal: Journal, id: string, operator: Operator): Promise<void> =>
  noteAction(journal, { ...operator, what: 'reveal', key: id })
