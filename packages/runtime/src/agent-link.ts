import { constants, type Http2Session, type Http2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What an agent upgrades its connection to. After it the gateway is the client of an HTTP/2 session, the agent the server. */
export const linkProtocol = 'tieline-agent-1'

/** What may be on its way on one connection that is carried, in bytes: what a slow side costs the other in memory. */
export const linkSettings = { initialWindowSize: 1_048_576 }

/** Ends a session whose far side is silent, which a network that forgets connections does not tell. */
export function watchLink(session: Http2Session, everyMs = 10_000): void {
  let answered = true
  const timer = setInterval(() => {
    if (!answered) return cutSession(session)
    answered = false
    if (!session.destroyed) session.ping(() => (answered = true))
  }, everyMs)
  session.once('close', () => clearInterval(timer))
}

/**
 * Carries both directions until both have ended; the slower side holds back the other. A cut of one side is passed on as a
 * cut, never as an end: an answer without a length would pass for a whole one. `pipeline` would end the socket properly.
 */
export function carry(socket: Socket, stream: Http2Stream & Duplex): void {
  let streamEnded = false
  socket.pipe(stream)
  stream.pipe(socket, { end: false })
  stream.once('end', () => {
    // A stream whose session is lost ends like any other; only these tell.
    streamEnded = !stream.rstCode && !stream.aborted && stream.session?.destroyed !== true
    if (streamEnded) socket.end()
    else socket.resetAndDestroy()
  })
  stream.once('close', () => {
    if (streamEnded) socket.destroySoon()
    else socket.resetAndDestroy()
  })
  socket.once('close', () => {
    stream.close(socket.readableEnded ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CONNECT_ERROR)
  })
}

/** Cuts all that a session carries: without the code the far side would take it for ended. */
export const cutSession = (session: Http2Session): void => session.destroy(undefined, constants.NGHTTP2_CANCEL)
