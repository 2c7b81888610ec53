import type { FileFlowId } from '@tieline/contracts/flows'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { Installation } from '@tieline/runtime/installation'
import type { MessageReader } from '@tieline/worker-service/message-reader'
import type { z } from 'zod'

export type RowValues = Readonly<Record<string, string>>

/** What the mapping of a row may look at besides the row. */
export interface RowContext {
  readonly lookups: Pick<LookupSnapshot, 'find' | 'require'>
  readonly compat: Pick<Installation['compat'], 'eventKey' | 'codes'>
  readonly readRow: MessageReader['readRow']
}

/** What a flow of event files says about itself; everything else they have in common. */
export interface EventFile<Message extends { readonly messageId: string }, Item> {
  readonly flow: FileFlowId
  readonly message: z.ZodType<Message>
  readonly operation: 'reserveDevice' | 'postEventOutcome'
  /**
   * One row as DACS gets it.
   * @throws TielineError for a row that has to be left out
   */
  toItem(values: RowValues, context: RowContext): Item
  /** The call for some rows. @throws TielineError when the message itself cannot be mapped */
  toBody(message: Message, items: readonly Item[], context: RowContext): unknown
}
