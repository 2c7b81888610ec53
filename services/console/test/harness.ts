import { randomBytes, randomUUID, scryptSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FlowId } from '@tieline/contracts/flows'
import { accept } from '@tieline/journal/intake'
import { showMessage } from '@tieline/journal/operations'
import type { State } from '@tieline/journal/schema'
import type { Processor } from '@tieline/journal/types'
import { startWorkers } from '@tieline/journal/worker'
import { never, TielineError } from '@tieline/runtime/error'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { openJournal } from '@tieline/worker-service/open-journal'
import { readSettings } from '@tieline/worker-service/read-settings'
import { expect, inject, vi } from 'vitest'
import { runCommandLine } from '../src/command-line.ts'

/** The password of every user in these tests. */
export const password = 'correct horse battery'

/** A hash that costs next to nothing. */
export function cheapHash(text: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(text, salt, 32, { N: 16, r: 8, p: 1 })
  return `scrypt:16:8:1:${salt.toString('base64')}:${hash.toString('base64')}`
}

export const planted = 'Reyes-planted-value'

/**
 * An installation of its own on the shared Redis, its journal, and a worker of the stage statuses whose target is down
 * until `recover` is called.
 */
export async function openInstallation(sections: object = {}) {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-console-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const name = `c-${randomUUID().slice(0, 24)}`
  const file = join(directory, 'tieline.yaml')
  await writeFile(file, JSON.stringify(installationFile(name, sections)))
  const env = {
    TIELINE_CONFIG: file,
    DATA_DIR: directory,
    REDIS_URL: inject('redisUrl'),
    CONSOLE_PORT: '0',
    LOG_LEVEL: 'silent',
  }
  const settings = await readSettings(env)

  const logger = createLogger({ service: 'test', level: 'silent' })
  const redis = connectWorker(env.REDIS_URL, logger)
  parts.defer(() => redis.disconnect())
  const journal = parts.use(await openJournal(settings, redis, logger))
  let isDown = true
  const processor: Processor<{ version: number }> = {
    flow: 'stage-status',
    async process() {
      if (isDown) throw new TielineError('target-error', never, 'DACS_MAIN: createProgramEvent answered 500')
      return { state: 'succeeded', outcome: 'SUCCESS', reply: { status: 200, body: planted } }
    },
    giveUp: (_attempt, { code }) => ({ state: 'dead', outcome: 'FAILURE', code }),
  }
  parts.use(
    await startWorkers({ journal, connection: redis, processors: [processor], snapshot: () => ({ version: 1 }) }),
  )

  const reaches = async (key: string, state: State) => {
    await vi.waitFor(async () => expect((await showMessage(journal, key))?.state).toBe(state), { timeout: 20_000 })
  }
  const owned = parts.move()
  return {
    env,
    directory,
    settings,
    journal,
    redis,
    recover: () => {
      isDown = false
    },
    /** Posts a message and waits until it is settled. */
    async settle(id: string, state: State, flow: FlowId = 'stage-status'): Promise<string> {
      const key = `${flow}.SITE1.${id}`
      const payload = { messageId: id, customer: planted }
      const known = { flow, key, instance: 'SITE1', id, client: 'derms', hash: `hash-of-${id}` }
      await accept(journal, { ...known, payload, terms: [id, 'event-1'] })
      await reaches(key, state)
      return key
    },
    reaches,
    /** Runs a command of operators. */
    run: (...args: string[]) => run(args, { env }),
    /** The same for somebody who sits at a terminal and answers so. */
    runAt: (answer: string, ...args: string[]) => run(args, { env, stdin: answer, isTTY: true }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Surroundings {
  readonly env?: NodeJS.ProcessEnv
  readonly stdin?: string
  readonly isTTY?: boolean
}

export async function run(args: string[], { env = {}, stdin = '', isTTY = false }: Surroundings = {}) {
  const written = { out: '', err: '' }
  const code = await runCommandLine(args, {
    env,
    stdin: Object.assign(Readable.from([stdin]), { isTTY }),
    stdout: { write: (text) => (written.out += text) },
    stderr: { isTTY, write: (text) => (written.err += text) },
  })
  return { code, ...written }
}

/** JSON is YAML. */
const installationFile = (name: string, sections: object) => ({
  installation: { name, environment: 'test' },
  ingress: {
    clients: [{ name: 'derms', flows: ['stage-status'], credentials: [{ basic: { username: 'd', password: 'p' } }] }],
  },
  connections: {
    DACS_MAIN: { kind: 'dacs', baseUrl: 'http://127.0.0.1:9/rest/apis', auth: 'none' },
    DERMS_SITE1: { kind: 'derms', baseUrl: 'http://127.0.0.1:9/nms-drms/rest/v1', auth: 'none' },
  },
  console: {
    users: ['viewer', 'operator', 'administrator'].map((role) => ({
      name: role,
      role,
      passwordHash: cheapHash(password),
    })),
  },
  ...sections,
})
