import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Duplex } from 'node:stream'
import { cutSession, linkSettings, watchLink } from '@tieline/runtime/agent-link'

/** A connection that an agent made, or the status that says why not. */
export interface Opened {
  readonly status: number
  readonly stream?: ClientHttp2Stream
}

export interface AgentSessions extends AsyncDisposable {
  add(name: string, socket: Duplex): void
  count(name: string): number
  /** Asks the agent of this name that carries least for a connection; one that is lost before it answers is replaced by another. */
  open(name: string, target: string): Promise<Opened>
}

const drainMs = 15_000

/** The agents that have dialled in. `onChange` is told of each that comes or goes. */
export function createAgentSessions(onChange: (name: string, sessions: number) => void): AgentSessions {
  /** Each session with how many connections it carries. */
  const byName = new Map<string, Map<ClientHttp2Session, number>>()
  const of = (name: string) => byName.get(name) ?? new Map<ClientHttp2Session, number>()

  function add(name: string, socket: Duplex): void {
    const session = connect('http://agent', { createConnection: () => socket, settings: linkSettings })
    const sessions = of(name).set(session, 0)
    byName.set(name, sessions)
    const remove = () => sessions.delete(session) && onChange(name, sessions.size)
    // An agent that stops says so first: what it carries may end.
    session.once('goaway', remove).once('close', remove).on('error', remove)
    watchLink(session)
    onChange(name, sessions.size)
  }

  async function open(name: string, target: string): Promise<Opened> {
    for (;;) {
      const sessions = of(name)
      const [least] = [...sessions].filter(([session]) => !session.closed).sort(([, a], [, b]) => a - b)
      if (least === undefined) return { status: 503 }
      const [session] = least
      const change = (by: number) => {
        const now = sessions.get(session)
        if (now !== undefined) sessions.set(session, now + by)
      }
      change(1)
      const stream = session.request({ ':method': 'CONNECT', ':authority': target }, { endStream: false })
      stream.once('close', () => change(-1)).on('error', () => undefined)
      const status = await statusOf(stream)
      if (status === 200) return { status, stream }
      stream.close()
      if (status !== undefined) return { status }
      if (!session.closed && !session.destroyed) return { status: 502 }
      sessions.delete(session)
    }
  }

  return {
    add,
    count: (name) => of(name).size,
    open,
    async [Symbol.asyncDispose]() {
      const all = [...byName.values()].flatMap((sessions) => [...sessions.keys()])
      const late = setTimeout(() => {
        for (const session of all) cutSession(session)
      }, drainMs)
      await Promise.all(all.map((session) => new Promise<void>((end) => session.close(end))))
      clearTimeout(late)
    },
  }
}

/** Undefined: it ended without an answer. */
const statusOf = (stream: ClientHttp2Stream): Promise<number | undefined> =>
  new Promise((resolve) => {
    stream.once('response', (headers) => resolve(headers[':status']))
    stream.once('close', () => resolve(undefined))
  })
