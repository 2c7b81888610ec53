import { BillFailure } from './bill-failure.ts'

/** How every PDF begins (ISO 32000-2, section 7.5.2). */
export const pdfSignature = Buffer.from('%PDF-')

/**
 * The pieces of a bill as they may go out: the first when the bill has begun like a PDF, the last when the stream has ended
 * without an error. Only then it is known that all bytes came and that the file did not change meanwhile, and whoever has not
 * got the last byte can tell that something is missing.
 * @param bytes of the whole bill
 * @throws BillFailure `bill-not-pdf`
 */
export async function* piecesOfPdf(stream: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, void> {
  let piece: Buffer = Buffer.alloc(0)
  let position = 0
  let begun = false
  for await (const chunk of stream) {
    piece = piece.length === 0 ? chunk : Buffer.concat([piece, chunk])
    position += chunk.length
    if (position < pdfSignature.length) continue
    if (!begun) requireSignature(piece)
    begun = true
    if (position === bytes) continue
    yield piece
    piece = Buffer.alloc(0)
  }
  if (!begun) requireSignature(piece)
  yield piece
}

function requireSignature(beginning: Buffer): void {
  if (beginning.subarray(0, pdfSignature.length).equals(pdfSignature)) return
  throw new BillFailure('bill-not-pdf', 'A bill does not begin like a PDF')
}
