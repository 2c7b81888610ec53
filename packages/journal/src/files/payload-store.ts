/**
 * Keeps sealed payloads: in Redis, in a directory, or in a bucket. A reference is chosen by the caller, made of letters, digits
 * and `-`, and never used twice.
 */
export interface PayloadStore {
  /**
   * Durable when it resolves. When it rejects, because the bytes ended in an error or the store failed, nothing is left behind as
   * far as the store can be reached.
   */
  put(reference: string, bytes: AsyncIterable<Buffer>): Promise<void>
  /** @throws TielineError `payload-unreadable` when it is gone or cannot be read; tried again, a share may be away */
  get(reference: string): Promise<AsyncIterable<Buffer>>
  /** Also what a `put` left behind whose process was killed. Nothing there is no error. */
  remove(reference: string): Promise<void>
}
