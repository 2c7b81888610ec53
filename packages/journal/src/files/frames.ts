export interface Frame {
  readonly bytes: Buffer
  /** Exactly one frame of a stream is the last one; it may be empty. */
  readonly last: boolean
}

/** Cuts a stream into frames of the same size; only the last one may be shorter. */
export async function* inFrames(stream: AsyncIterable<Uint8Array>, frameBytes: number): AsyncGenerator<Frame> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of stream) {
    held.push(chunk)
    heldBytes += chunk.length
    // A full frame is held back until more comes: it may turn out to be the last.
    if (heldBytes <= frameBytes) continue
    const joined = Buffer.concat(held, heldBytes)
    const end = heldBytes - 1 - ((heldBytes - 1) % frameBytes)
    for (let at = 0; at < end; at += frameBytes) yield { bytes: joined.subarray(at, at + frameBytes), last: false }
    held = [joined.subarray(end)]
    heldBytes -= end
  }
  yield { bytes: Buffer.concat(held, heldBytes), last: true }
}
