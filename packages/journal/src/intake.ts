import { randomUUID } from 'node:crypto'
import { type FlowId, flowSpec } from '@tieline/contracts/flows'
import { redisPayloadBytesMax } from './files/payloads.ts'
import { type Journal, payloadContext, replyContext } from './journal.ts'
import type { AnswerOf, Blob } from './kernel/scripts.ts'
import type { Decision, Run } from './script-calls.ts'
import type { Acceptance, Incoming, Reply } from './types.ts'

/**
 * Makes a message durable: record, index, line and payload in one script, then its job. When it returns, Redis has
 * confirmed both. A failure in between leaves a record whose job the sweeper adds: the message may run, once.
 * @throws JournalError or an error of Redis: the caller answers 503
 */
export async function accept(journal: Journal, incoming: Incoming): Promise<Acceptance> {
  const span = journal.tracer.start(`accept ${incoming.flow}`, {
    kind: 'producer',
    parent: journal.tracer.current()?.traceparent,
    attributes: { 'tieline.flow': incoming.flow, 'tieline.message.key': incoming.key },
  })
  try {
    const acceptance = await journal.tracer.within(span, () => acceptTraced(journal, incoming))
    span.set({ 'tieline.acceptance': acceptance.kind })
    return acceptance
  } catch (error) {
    span.fail('store-unavailable')
    throw error
  } finally {
    span.end()
  }
}

/** @param occasion how often a message with this content and without an id was meant anew */
async function acceptTraced(journal: Journal, received: Incoming, occasion = 1): Promise<Acceptance> {
  const incoming = occasion === 1 ? received : onOccasion(received, occasion)
  const { key, flow } = incoming
  const payload = await keepPayload(journal, incoming)
  const proposed = { key, flow, run: randomUUID() }
  // One trip for both: a job that was added for nothing finds nothing to do.
  const both = [decide(journal, incoming, proposed.run, payload), journal.queues.add(proposed)] as const
  const [decided, added] = await Promise.allSettled(both)
  if (decided.status === 'rejected') throw decided.reason
  const decision = decided.value
  const run = 'run' in decision ? decision.run : undefined
  if (run === proposed.run && added.status === 'rejected') throw added.reason
  if (run !== undefined && run !== proposed.run) await journal.queues.add({ key, flow, run })
  await tidyUp(journal, incoming, decision, run === proposed.run ? undefined : proposed)

  if (decision.kind === 'overtaken') return acceptTraced(journal, received, occasion + 1)
  // The sweeper took it for left behind: its sender was silent for longer than anybody can be.
  if (decision.kind === 'gone') throw new Error('A payload that was stored for the message is gone')
  const { kind, generation, acceptedAt } = decision
  journal.tracer.current()?.link(decision.trace)
  if (kind === 'replayed') return { key, generation, kind, reply: readableReply(journal, key, decision.reply) }
  return { key, generation, kind, acceptedAt, workerSeenAt: decision.seen ?? 0 }
}

/** A message of its own for the same content. */
const onOccasion = (incoming: Incoming, occasion: number): Incoming => ({
  ...incoming,
  id: `${incoming.id}-${occasion}`,
  key: `${incoming.key}-${occasion}`,
})

/** Small JSON goes into the record's own script; what is too large for Redis is stored before. */
async function keepPayload(journal: Journal, { key, payload }: Incoming): Promise<{ sealed: Blob; reference: string }> {
  const json = JSON.stringify(payload)
  const bytes = Buffer.byteLength(json)
  if (bytes <= redisPayloadBytesMax)
    return { sealed: journal.sealer.sealBytes(json, payloadContext(key)), reference: '' }
  const { reference } = await journal.payloads.keep(once(Buffer.from(json)))
  return { sealed: '', reference }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function decide(
  journal: Journal,
  incoming: Incoming,
  run: string,
  { sealed, reference }: { sealed: Blob; reference: string },
): Promise<AnswerOf<'accept'>> {
  const { payload, answers, line, follows, file, terms, ...fields } = incoming
  const followed = flowSpec(incoming.flow).follows
  const named = {
    ...fields,
    run,
    ...(line !== undefined && { line: `${incoming.flow}.${line}` }),
    ...(follows !== undefined && followed && { follows: `${followed}.${follows}` }),
    ...(file && { fileRef: file.reference, fileName: file.name, fileBytes: file.bytes, fileSha256: file.sha256 }),
    terms: lower(terms),
    ...(reference !== '' && { payloadRef: reference }),
    ...(answers && { answers: lower(answers.terms), answersFlow: answers.flow, answersKeys: answers.keys }),
    seen: flowSpec(incoming.flow).replyMode === 'await',
    trace: journal.tracer.current()?.traceparent,
  }
  return journal.run('accept', named, [sealed])
}

const lower = (terms: readonly string[]) => terms.map((term) => term.toLowerCase())

/** What must not delay or endanger the answer: the sweeper and the trimmer do the same for what is left. */
async function tidyUp(
  journal: Journal,
  incoming: Incoming,
  decision: { readonly kind: string } & Partial<Pick<Decision, 'unused' | 'withdrawn' | 'moved'>>,
  forNothing: Run | undefined,
): Promise<void> {
  const chores: Promise<unknown>[] = (decision.unused ?? []).map((reference) => journal.payloads.remove(reference))
  if (forNothing) chores.push(journal.queues.remove(forNothing.flow, forNothing.run))
  if (decision.withdrawn) chores.push(journal.queues.remove(incoming.flow, decision.withdrawn))
  if (decision.moved) chores.push(journal.queues.add(decision.moved))
  for (const chore of await Promise.allSettled(chores)) {
    if (chore.status === 'rejected')
      journal.logger.warn({ err: chore.reason, key: incoming.key }, 'Could not tidy up after accepting')
  }
}

/** Whether the journal knows a message by this name, or its line. */
export async function isKnown(
  { redis, base }: Pick<Journal, 'redis' | 'base'>,
  { flow, key, line }: Pick<Incoming, 'flow' | 'key' | 'line'>,
): Promise<boolean> {
  const places = line === undefined ? [] : [`l:${flow}.${line}`, `a:${flow}.${line}`]
  return (await redis.exists([`m:${key}`, ...places].map((place) => `${base}:${place}`))) > 0
}

/** Nobody waits for the reply any more: the caller got a provisional one, or hung up. */
export async function leaveUncollected(
  journal: Journal,
  accepted: { key: string; generation: number },
  how: 'provisional' | 'hung-up',
) {
  await journal.run('collect', { key: accepted.key, generation: accepted.generation, how })
}

export function openReply(journal: Journal, key: string, sealed: string | null | undefined): Reply | undefined {
  return sealed ? (JSON.parse(journal.sealer.open(sealed, replyContext(key))) as Reply) : undefined
}

/** The message is accepted all the same when its stored reply was damaged: the caller is told so instead of being refused. */
function readableReply(journal: Journal, key: string, sealed: string | undefined): Reply | undefined {
  try {
    return openReply(journal, key, sealed)
  } catch (error) {
    journal.logger.error({ err: error, key }, 'A stored reply cannot be read')
    return undefined
  }
}

/** Milliseconds after which a queue without a sign of a worker is taken for dead. */
export const workerSilentMs = 15_000

export const hasWorker = (journal: Journal, workerSeenAt: number) => journal.clock() - workerSeenAt < workerSilentMs

/** When a worker of the flow gave its last sign, in milliseconds since 1970; 0: never. */
export const readWorkerSeenAt = async (journal: Journal, flow: FlowId): Promise<number> =>
  Number((await journal.redis.hget(`${journal.base}:workers`, flow)) ?? 0)
