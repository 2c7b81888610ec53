import { once } from 'node:events'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { abortable } from './abortable.ts'
import { BillFailure, type BillFailureCode } from './bill-failure.ts'
import type { Bill, Bills } from './bills.ts'

/** What became of a download. */
export interface Delivered {
  /** With 200 the answer has been sent, wholly or until it broke off; 404 and 500 are left to be sent. */
  readonly status: 200 | 404 | 500
  /** Of the bill, handed to the network. */
  readonly bytes: number
  /** From the request to the first byte of a 200. */
  readonly firstByteMs?: number | undefined
  /** Why it is 500, or not whole. */
  readonly error?: unknown
}

export interface DeliveryLimits {
  /** Longest time from a request to the first byte of its bill. */
  readonly firstByteMsMax: number
  /** Longest time from there to the last byte. */
  readonly transferMsMax: number
  /** Downloads in flight, those that wait included. */
  readonly inFlightMax: number
}

/** Never rejects: whatever happens is in the result. */
export type Deliver = (id: string, outgoing: ServerResponse, headers: OutgoingHttpHeaders) => Promise<Delivered>

export interface Delivery {
  readonly deliver: Deliver
  readonly inFlight: () => number
}

/** Sends bills within limits of time. One that cannot be sent to its end breaks its connection. */
export function createDelivery(bills: Bills, { firstByteMsMax, transferMsMax, inFlightMax }: DeliveryLimits): Delivery {
  let inFlight = 0

  const deliver: Deliver = async (id, outgoing, headers) => {
    const stop = new AbortController()
    const { signal } = stop
    const fail = (code: BillFailureCode, message: string) => stop.abort(new BillFailure(code, message))
    outgoing.once('close', () => fail('caller-gone', 'The caller hung up'))
    let timer = setTimeout(fail, firstByteMsMax, 'first-byte-late', 'The first byte took too long')
    const startedMs = performance.now()
    let firstByteMs: number | undefined
    let bytes = 0
    inFlight += 1
    try {
      if (inFlight > inFlightMax) throw new BillFailure('too-many-downloads', `${inFlightMax} downloads are in flight`)
      using bill = await abortable(bills.open(id, signal), signal)
      if (bill === undefined) return { status: 404, bytes }
      clearTimeout(timer)
      timer = setTimeout(fail, transferMsMax, 'transfer-late', 'The transfer took too long')
      outgoing.writeHead(200, { ...headers, 'content-type': 'application/pdf', 'content-length': bill.bytes })
      firstByteMs = performance.now() - startedMs
      await send(bill, outgoing, signal, (sent) => {
        bytes += sent
      })
      return { status: 200, bytes, firstByteMs }
    } catch (thrown) {
      const error: unknown = signal.aborted ? signal.reason : thrown
      if (!outgoing.headersSent) return { status: 500, bytes, error }
      outgoing.destroy()
      return { status: 200, bytes, firstByteMs, error }
    } finally {
      inFlight -= 1
      clearTimeout(timer)
    }
  }
  return { deliver, inFlight: () => inFlight }
}

/** At the pace of the caller. Resolves when the network has taken the last byte. */
async function send({ pieces }: Bill, outgoing: ServerResponse, signal: AbortSignal, onSent: (bytes: number) => void) {
  for (;;) {
    const next = await abortable(pieces.next(), signal)
    if (next.done) break
    const goOn = outgoing.write(next.value)
    onSent(next.value.length)
    if (!goOn) await once(outgoing, 'drain', { signal })
  }
  outgoing.end()
  await once(outgoing, 'finish', { signal })
}
