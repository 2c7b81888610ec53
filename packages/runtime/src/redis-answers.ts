import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Resolves when the Redis on a port of 127.0.0.1 has read its data and answers.
 * With `pid`, throws when the one that answers is another process. Rejects after `withinMs`, or when `signal` aborts.
 */
export async function untilRedisAnswers(
  port: number,
  { withinMs, pid, signal }: { withinMs: number; pid?: number; signal?: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    signal?.throwIfAborted()
    const answer = await ask(port)
    const answeringPid = /^\+PONG\r\n.*\r\nprocess_id:(\d+)\r\n/s.exec(answer)?.[1]
    if (answeringPid !== undefined) {
      if (pid === undefined || pid === Number(answeringPid)) return
      throw new Error(`Another Redis, process ${answeringPid}, answers on port ${port}.`)
    }
    if (performance.now() > deadlineMs) throw new Error(`Redis did not answer on port ${port} within ${withinMs} ms.`)
    await delay(20)
  }
}

/** What the server says to PING and INFO, errors such as LOADING included; empty when nothing listens. */
function ask(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 })
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text
  })
  socket.on('timeout', () => socket.destroy()).on('error', () => undefined)
  socket.on('close', () => resolve(answer))
  socket.write('PING\r\nINFO server\r\nQUIT\r\n')
  return promise
}
