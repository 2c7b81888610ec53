import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A port of 127.0.0.1, or the path of a Unix socket. */
export type RedisPlace = number | string

/**
 * Resolves when the Redis at a place of this machine has read its data and answers.
 * With `pid`, throws when the one that answers is another process. Rejects after `withinMs`, or when `signal` aborts.
 */
export async function untilRedisAnswers(
  place: RedisPlace,
  { withinMs, pid, signal }: { withinMs: number; pid?: number; signal?: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    signal?.throwIfAborted()
    const answer = await ask(place)
    const answeringPid = /^\+PONG\r\n.*\r\nprocess_id:(\d+)\r\n/s.exec(answer)?.[1]
    if (answeringPid !== undefined) {
      if (pid === undefined || pid === Number(answeringPid)) return
      throw new Error(`Another Redis, process ${answeringPid}, answers at ${describe(place)}.`)
    }
    if (performance.now() > deadlineMs)
      throw new Error(`Redis did not answer at ${describe(place)} within ${withinMs} ms.`)
    await delay(20)
  }
}

const describe = (place: RedisPlace) => (typeof place === 'number' ? `port ${place}` : place)

/** What the server says to PING and INFO, errors such as LOADING included; empty when nothing listens. */
function ask(place: RedisPlace): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  const timeout = 1_000
  const socket = connect(
    typeof place === 'number' ? { host: '127.0.0.1', port: place, timeout } : { path: place, timeout },
  )
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text
  })
  socket.on('timeout', () => socket.destroy()).on('error', () => undefined)
  socket.on('close', () => resolve(answer))
  socket.write('PING\r\nINFO server\r\nQUIT\r\n')
  return promise
}
