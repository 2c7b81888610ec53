import type { IncomingMessage } from 'node:http'

/** How a body begins, for the case that its request is refused. */
export interface BodyHead {
  /** The next piece of the body as it arrives; what is beyond the beginning is not held. */
  add(chunk: Buffer): void
  content(): Buffer
}

const headBytesMax = 64 * 1024

export function createBodyHead(): BodyHead {
  const chunks: Buffer[] = []
  let missing = headBytesMax
  return {
    add(chunk) {
      if (missing === 0) return
      const part = chunk.subarray(0, missing)
      chunks.push(part)
      missing -= part.length
    },
    content: () => Buffer.concat(chunks),
  }
}

/** A request that is refused before its body is read has mostly sent it along: nobody waits longer for the answer. */
const unreadMsMax = 250

/** Reads on until the beginning is complete, the body ends, or it takes too long. What follows is thrown away, as ever. */
export function readOn(incoming: IncomingMessage, head: BodyHead): Promise<void> {
  if (incoming.destroyed || incoming.readableEnded) return Promise.resolve()
  return new Promise((resolve) => {
    let bytes = 0
    const onData = (chunk: Buffer) => {
      head.add(chunk)
      bytes += chunk.length
      if (bytes >= headBytesMax) end()
    }
    const end = () => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', end).off('error', end).off('close', end)
      resolve()
    }
    const timer = setTimeout(end, unreadMsMax)
    incoming.on('data', onData).on('end', end).on('error', end).on('close', end)
  })
}
