import { createHash, randomUUID } from 'node:crypto'
import { messageKey } from '@tieline/contracts/identity'
import { transferRun } from '@tieline/contracts/transfer-run'
import { type Journal, payloadContext } from '../journal.ts'
import { beginTrace, enqueueDue } from '../kernel/due-messages.ts'

/** A scheduled transfer of section `deviceScore`, as far as its message is concerned. */
export interface TransferName {
  readonly name: string
  /** Name of the connection that has the files: what is known of files belongs to it. */
  readonly source: string
}

export interface RunWish {
  readonly transfer: TransferName
  /** Only this file; without, every file that is there. */
  readonly file?: string
  /** A run of every file that began at this time or later serves as well, milliseconds since 1970. */
  readonly notBefore?: number
  /** Who asks. With `why` it is an operator and audited. */
  readonly who: string
  readonly why?: string
}

export type RunAnswer =
  | { readonly kind: 'started'; readonly key: string; readonly generation: number }
  /** A run has begun since `notBefore`. */
  | { readonly kind: 'served'; readonly key: string }
  /** A run is going on; there is one at a time. */
  | { readonly kind: 'busy'; readonly key: string; readonly since: number }

/** The message of a transfer: each of its runs is a generation of it. */
export const transferKey = ({ name, source }: TransferName): string => messageKey('device-score', source, name)

/** Starts a run of a transfer, unless one is going on. */
export async function startRun(journal: Journal, { transfer, file, notBefore, who, why }: RunWish): Promise<RunAnswer> {
  const flow = 'device-score' as const
  const key = transferKey(transfer)
  const run = randomUUID()
  const payload = JSON.stringify(transferRun.parse({ transfer: transfer.name, file }))
  const begun = beginTrace(journal, flow, key)
  const named = {
    key,
    flow,
    instance: transfer.source,
    id: transfer.name,
    client: 'tieline',
    hash: createHash('sha256').update(payload).digest('hex'),
    run,
    terms: [transfer.name, ...(file === undefined ? [] : [file])].map((term) => term.toLowerCase()),
    whole: file === undefined,
    notBefore,
    who,
    why,
    trace: begun.traceparent,
  }
  const sealed = journal.sealer.sealBytes(payload, payloadContext(key))
  const answer = await journal.run('start-run', named, [sealed])
  if (answer.kind !== 'started') return { ...answer, key }
  await enqueueDue(journal, [{ key, flow, run, begun }])
  if (answer.ticket) await journal.queues.remove(flow, answer.ticket)
  return { kind: 'started', key, generation: answer.generation }
}
