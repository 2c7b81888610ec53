import { connectionFailures } from '@tieline/contracts/failures'
import { type Digest, type Notice, namedMax } from '@tieline/contracts/notice'
import { type DigestSubject, digestSummary, recoveredNotice } from '@tieline/contracts/notice-words'
import type { Journal } from '../journal.ts'
import { type DueMessage, dueBlobs, dueFields, enqueueDue, noticeMessage } from '../kernel/due-messages.ts'
import type { Attempt } from '../types.ts'

/** E-mails of one kind within some time: the first goes out at once, the others together when the time is over. */
export interface MailWindow {
  /** Names the kind. */
  readonly id: string
  /** 0: nothing is joined. */
  readonly periodMs: number
  /** What the digest says about all of them. */
  readonly about: DigestSubject
  /** What the digest says about this one. */
  readonly entry: Entry
  /** The window joins several flows: the digest counts each of them. */
  readonly flow?: string
  /** The connection that is told to be down by it: when it answers again, that is told too. */
  readonly down?: { readonly connection: string; readonly since: number }
}

export type Entry = Digest['named'][number]

/** A connection that was down is said to work when nothing of it failed for so long since it answered. */
const quietMs = 60_000

export const windowContext = (id: string) => `mail-window:${id}`

/** Answers of something that stands before the target, or of a target that lets nobody in. */
const downStatuses: ReadonlySet<number> = new Set([401, 403, 404, 429, 502, 503, 504])

interface Failure {
  readonly code?: string | undefined
  readonly httpStatus?: number | undefined
}

/**
 * Whether a failure lies with the connection. Of what is still being tried, notices of older versions know only the last answer,
 * if there was one.
 */
export const saysDown = ({ code, httpStatus }: Failure): boolean =>
  httpStatus === undefined
    ? code === 'still-failing' || (code !== undefined && connectionFailures.has(code))
    : downStatuses.has(httpStatus)

/** For e-mails: whether it goes out now, as the first of its kind, or has joined the digest. It stays so for the generation. */
export async function joinWindow(
  { journal, pen }: Attempt,
  { id, entry, ...window }: MailWindow,
): Promise<'opened' | 'joined'> {
  const sealed = journal.sealer.seal(JSON.stringify(entry), windowContext(id))
  return (await pen.write('join-window', { ...window, window: id, namedMax }, [sealed])).kind
}

/** Something that is no effect, such as the listing of a directory, shows that a connection works. */
export async function reached({ run }: Journal, connection: string): Promise<void> {
  await run('reached', { connection })
}

/** Makes the digests due of windows whose time is over. */
export async function closeMailWindows(journal: Journal): Promise<void> {
  const { base, redis, clock } = journal
  for (const id of await redis.zrangebyscore(`${base}:windows`, '-inf', clock())) {
    await closeWindow(journal, await readWindow(journal, id), { ends: false })
  }
}

/** Tells of connections that work again, after what was still to be said of their failures. */
export async function tellRecovered(journal: Journal): Promise<void> {
  const { base, redis, clock } = journal
  const answered = await redis.zrangebyscore(`${base}:recovering`, '-inf', clock() - quietMs, 'WITHSCORES')
  for (let i = 0; i < answered.length; i += 2) {
    const [connection = '', since = ''] = answered.slice(i, i + 2)
    const downSince = Number((await redis.hget(`${base}:down`, connection)) ?? since)
    for (const id of await redis.zrange(`${base}:windows`, '0', '-1')) {
      const window = await readWindow(journal, id)
      if (window.down === connection) await closeWindow(journal, window, { ends: true })
    }
    const notice = recoveredNotice(connection, downSince, Number(since))
    const mails = [noticeMessage(journal, notice, `${connection}#${since}`)]
    const named = { connection, since: Number(since), ...dueFields(mails) }
    const { kind } = await journal.run('recover', named, dueBlobs(mails))
    if (kind === 'due') await enqueueDue(journal, mails)
  }
}

interface Window {
  readonly id: string
  /** 0: another process has just closed it. */
  readonly since: number
  readonly about: DigestSubject | undefined
  readonly down: string | undefined
  /** How many of each flow, where it joins several. */
  readonly flows: Readonly<Record<string, number>>
  /** How many have joined; the first of them are kept by name. */
  readonly count: number
  readonly joined: readonly string[]
}

async function readWindow({ redis, base }: Journal, id: string): Promise<Window> {
  const both = await redis.multi().hgetall(`${base}:w:${id}`).lrange(`${base}:j:${id}`, 0, -1).exec()
  const [fields, joined] = (both ?? []).map(([, answer]) => answer) as [Record<string, string>, string[]]
  const { since = 0, about, down, count = 0 } = fields
  return {
    id,
    since: Number(since),
    about: about === undefined ? undefined : (JSON.parse(about) as DigestSubject),
    down,
    flows: countsOf(fields),
    count: Number(count),
    joined,
  }
}

const countsOf = (fields: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name, count]) => name.startsWith('n:') && Number(count) > 0)
      .map(([name, count]) => [name.slice('n:'.length), Number(count)]),
  )

/** `ends`: for good, whatever has joined. Else it goes on as long as somebody joins. */
async function closeWindow(journal: Journal, window: Window, { ends }: { ends: boolean }): Promise<void> {
  const { id, since, about, count, joined, flows } = window
  const mails = about === undefined || count === 0 ? [] : [digestOf(journal, { ...window, about })]
  const named = { window: id, since, count, flows, named: joined.length, ends, ...dueFields(mails) }
  const { kind } = await journal.run('close-window', named, dueBlobs(mails))
  if (kind === 'due') await enqueueDue(journal, mails)
}

function digestOf(
  journal: Journal,
  { id, since, about, count, joined, flows }: Window & { about: DigestSubject },
): DueMessage {
  const named = joined.slice(0, namedMax).flatMap((sealed) => openEntry(journal, id, sealed) ?? [])
  const notice: Notice = {
    ...about,
    summary: digestSummary(about, count, since),
    occurredAt: new Date(journal.clock()).toISOString(),
    digest: {
      count,
      since: new Date(since).toISOString(),
      first: about.occurredAt,
      named,
      ...(Object.keys(flows).length > 0 && { flows }),
    },
  }
  return noticeMessage(journal, notice, `${id}#${since}`)
}

/** What was sealed with a key that is gone is still counted. */
function openEntry({ sealer, logger }: Journal, id: string, sealed: string): Entry | undefined {
  try {
    return JSON.parse(sealer.open(sealed, windowContext(id))) as Entry
  } catch {
    logger.warn({ window: id }, 'An entry of a digest cannot be read; it is only counted')
    return undefined
  }
}
