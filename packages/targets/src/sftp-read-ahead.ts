import type { SftpSession } from './sftp-session.ts'
import { fileChanged } from './source-failure.ts'

/** What is asked for at a time. */
const pieceBytes = 64 * 1024

/** Pieces asked for ahead: 2 MiB, as the client of OpenSSH does, so that distance does not make a fast line slow. */
const piecesAhead = 32

/** The content of an open file, in order. Asks no further ahead than that, however slowly it is taken. */
export async function* readAhead(session: SftpSession, handle: Buffer, bytes: number): AsyncGenerator<Buffer, void> {
  const coming: Promise<Buffer>[] = []
  let position = 0
  for (;;) {
    while (position < bytes && coming.length < piecesAhead) {
      const piece = readPiece(session, handle, position, Math.min(pieceBytes, bytes - position))
      // It may fail when nobody is interested any more.
      piece.catch(() => undefined)
      coming.push(piece)
      position += pieceBytes
    }
    const next = coming.shift()
    if (next === undefined) return
    yield await next
  }
}

/** Servers may answer with less than they were asked for. */
async function readPiece(session: SftpSession, handle: Buffer, position: number, length: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const read = await session.ask<number>((sftp, answer) =>
      sftp.read(handle, piece, filled, length - filled, position + filled, answer),
    )
    if (read === 0) throw fileChanged('found fewer bytes than were listed')
    filled += read
  }
  return piece
}
