import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** The path of a program, looked up in the PATH of `env`. */
export async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env.PATH ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(directory, name)
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return candidate
  }
  return undefined
}

/** Runs a program to its end and returns what it printed. Throws one line: what it was, and its first complaint. */
export async function run(
  program: string,
  args: readonly string[],
  { env, timeoutMs = 10_000 }: { env: NodeJS.ProcessEnv; timeoutMs?: number },
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], {
      env,
      timeout: timeoutMs,
      maxBuffer: 16 * 1024 ** 2,
    })
    return stdout
  } catch (error) {
    const failure: { stderr?: string; killed?: boolean; message?: string } = error instanceof Error ? error : {}
    const complaint =
      failure.killed === true ? `no end within ${timeoutMs} ms` : firstLine(failure.stderr || failure.message)
    throw new Error(`${program} failed: ${complaint}`, { cause: error })
  }
}

const firstLine = (text = '') => text.trim().split('\n', 1)[0] ?? ''
