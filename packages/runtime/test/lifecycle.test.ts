import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('lifecycle-program.ts', import.meta.url))

/** Runs the program; each signal is sent when the program has printed the word it is waiting for. */
async function run(mode: string, signals: readonly { after: string; signal: NodeJS.Signals }[] = []) {
  const child = spawn(process.execPath, [program, mode], { stdio: ['ignore', 'pipe', 'pipe'] })
  const waiting = [...signals]
  const output = { stdout: '', stderr: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
    while (waiting[0] !== undefined && output.stdout.includes(waiting[0].after)) child.kill(waiting.shift()?.signal)
  })
  const [code, signal] = await once(child, 'close')
  return { ...output, code, signal }
}

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops what it started on %s and exits with 0', async (signal) => {
    const { code, stdout, stderr } = await run('good', [{ after: 'started', signal }])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'starting\nstarted\nstopped\n', stderr: '' })
  })

  it('that has stopped ends although a library left timers behind', async () => {
    const { code, stdout } = await run('leaves-timers', [{ after: 'started', signal: 'SIGTERM' }])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'starting\nstarted\nstopped\n' })
  })

  it('stops when the parent that opened a channel to it is gone', async () => {
    const child = spawn(process.execPath, [program, 'good'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output === 'starting\nstarted\n') child.disconnect()
    })
    const [code] = await once(child, 'exit')
    expect({ code, output }).toEqual({ code: 0, output: 'starting\nstarted\nstopped\n' })
  })

  it('that is told to stop while it starts stops as soon as it has started', async () => {
    const { code, stdout } = await run('slow-start', [{ after: 'starting', signal: 'SIGTERM' }])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'starting\nstopped\n' })
  })

  it('that is told to stop while it waits to start ends soon, with 0', async () => {
    const { code, stdout } = await run('never-starts', [{ after: 'starting', signal: 'SIGTERM' }])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'starting\n' })
  })

  it('that does not stop in time is ended with 1 and says so', async () => {
    const { code, stdout } = await run('stuck', [{ after: 'started', signal: 'SIGTERM' }])
    expect(code).toBe(1)
    expect(stdout).toContain('The service did not stop within 50 ms')
  })

  it('is ended at once by a second signal', async () => {
    const { signal, stdout } = await run('stuck-for-long', [
      { after: 'started', signal: 'SIGTERM' },
      { after: 'stopping', signal: 'SIGTERM' },
    ])
    expect(signal).toBe('SIGTERM')
    expect(stdout).not.toContain('stopped')
  })

  it('that is configured wrongly says what to change, without a stack, and exits with 1', async () => {
    const { code, stderr, stdout } = await run('bad-configuration')
    expect({ code, stderr, stdout }).toEqual({
      code: 1,
      stderr: 'The installation file has faults:\n  mail.url: must be an smtp or smtps address\n',
      stdout: 'starting\n',
    })
  })

  it('tells a parent that wants to print it what keeps it from starting, and prints nothing itself', async () => {
    const child = spawn(process.execPath, [program, 'bad-configuration', '--tell-parent'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let printed = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const [[report], [code]] = await Promise.all([once(child, 'message'), once(child, 'close')])
    expect(report).toEqual({ cannotStart: expect.stringMatching(/mail.url: must be/) })
    expect({ code, printed }).toEqual({ code: 1, printed: '' })
  })

  it('that cannot go on stops, says what to change, and exits with 1', async () => {
    const { code, stdout, stderr } = await run('fails-later')
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: 'starting\nstarted\nstopped\n',
      stderr: 'Port 1 is in use.\n',
    })
  })

  it.each([
    ['bad-start', 'The service could not start'],
    ['throws-later', 'An error was not caught; the process ends'],
    ['rejects-later', 'An error was not caught; the process ends'],
    ['bad-stop', 'An error was not caught; the process ends'],
  ])('in case of %s logs one fatal line with the error and exits with 1', async (mode, message) => {
    const { code, stdout } = await run(mode, [{ after: 'started', signal: 'SIGTERM' }])
    const records = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
    expect(code).toBe(1)
    expect(records).toEqual([expect.objectContaining({ level: 'fatal', msg: message })])
    expect(records[0].err).toMatchObject({
      name: 'Error',
      message: 'on purpose',
      stack: expect.stringContaining('at '),
    })
  })
})
