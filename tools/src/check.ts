import { spawn } from 'node:child_process'
import { findBoundaryFaults } from './boundaries.ts'
import { findBrokenLinks } from './doc-links.ts'
import { findDrift, root } from './generate.ts'
import { findUnexplainedWaits } from './test-waits.ts'

/** Each check by name; it answers with what is wrong. */
const checks: Readonly<Record<string, () => Promise<string[]>>> = {
  'format and lint': () => runTool('biome', ['check', '--error-on-warnings', '.']),
  types: () => runTool('tsc', ['-p', '.']),
  boundaries: findBoundaryFaults,
  'unused exports and dependencies': () => runTool('knip', ['--reporter', 'compact', '--no-progress']),
  'generated files (pnpm generate mends them)': findDrift,
  'links in documents': findBrokenLinks,
  'waits in tests': findUnexplainedWaits,
}

async function runTool(command: string, args: readonly string[]): Promise<string[]> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return code === 0 ? [] : [Buffer.concat(output).toString()]
}

const results = await Promise.all(
  Object.entries(checks).map(async ([name, check]) => ({ name, faults: await check() })),
)
for (const { name, faults } of results) {
  process.stdout.write(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}\n${faults.map((fault) => `${fault}\n`).join('')}`,
  )
}
process.exitCode = results.some(({ faults }) => faults.length > 0) ? 1 : 0
