import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './generate.ts'

const wait = /\b(?:delay|sleep|setTimeout)\(/

/** A test waits for facts. Where it waits for time all the same, the line above says why. */
export async function findUnexplainedWaits(): Promise<string[]> {
  const tracked = execFileSync('git', ['ls-files', '*.test.ts'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
  const faults = tracked.map(async (path) => {
    const text = await readFile(join(root, path), 'utf8').catch(() => '')
    return unexplainedWaits(text).map((line) => `${path}:${line}: waits for time, and no comment above says why`)
  })
  return (await Promise.all(faults)).flat()
}

/** Numbers of the lines. */
export function unexplainedWaits(text: string): number[] {
  const lines = text.split('\n')
  return lines.flatMap((line, i) => {
    const isWait = wait.test(line) && !line.trimStart().startsWith('//')
    return isWait && !lines[i - 1]?.trimStart().startsWith('//') ? [i + 1] : []
  })
}
