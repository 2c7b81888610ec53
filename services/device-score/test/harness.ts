import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Notice } from '@tieline/contracts/notice'
import type { Records } from '@tieline/journal/transfers/recorded'
import type { Attempt } from '@tieline/journal/types'
import { createSnapshot } from '@tieline/lookups/snapshot'
import { type Answer, CallError } from '@tieline/runtime/error'
import type { Content } from '@tieline/targets/exchange'
import { answer, fakeAttempt, fakeDeps } from '@tieline/testkit/fakes'
import { createTransferRunProcessor } from '../src/processors/transfer-run.ts'

/** A directory of score files, a scripted DERMS, and attempts that share what a journal keeps of one generation. */
export async function openRun(file?: string) {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-run-'))
  const taken: string[] = []
  const notices: Notice[] = []
  const records = new Map<string, unknown>()
  const { attempt: fake, effects } = fakeAttempt('device-score', { transfer: 'nightly', file })
  const attempt: Attempt = {
    ...fake,
    id: 'nightly',
    effects: async () => [...effects.keys()].map((id) => ({ ...anEffect, id })),
  }
  let changedRecords: Partial<Records> = {}
  const recordsOf = (): Records => ({
    async forget(ids) {
      for (const id of ids) effects.delete(id)
    },
    async record(field, value, { notices: due = [], forget } = {}) {
      records.set(field, value)
      notices.push(...due)
      if (forget !== undefined) effects.delete(forget)
    },
    recorded: async () => new Map(records),
    ...changedRecords,
  })
  const state = { refuses: false }
  const derms = {
    async deviceScore(name: string, content: Content): Promise<Answer> {
      const bytes = await buffer(await content.open())
      if (state.refuses) throw refusal()
      taken.push(`${name} ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`)
      return answer()
    },
  }
  const deps = fakeDeps({ derms })
  const connections: typeof deps.installation.connections = { SCORES: { kind: 'directory', path: directory } }
  const schedule = { schedule: '0 5 * * *', timezone: 'UTC' }
  const deviceScore = [{ name: 'nightly', source: 'SCORES', target: 'DERMS_A', ...schedule }]
  const processor = createTransferRunProcessor(
    { ...deps, transfers: () => ({ deviceScore, connections }) },
    { lookAgainMs: 1, againMs: 1, recordsOf },
  )
  return {
    state,
    taken,
    notices,
    effects,
    records,
    put: (name: string, content: string) => writeFile(join(directory, name), content),
    names: async () => (await readdir(directory)).sort(),
    /** One attempt; a worker that dies before the end of it is one whose settlement is thrown away. */
    process(changes: Partial<Attempt> = {}, records: Partial<Records> = {}) {
      changedRecords = records
      return processor.process({ ...attempt, ...changes }, tables)
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

const anEffect = {
  state: 'confirmed',
  operation: 'deviceScore',
  connection: 'DERMS_A',
  tries: 1,
  repeats: 0,
  at: 0,
} as const

const tables = createSnapshot(
  {
    ConfigProps: [],
    Email_ID: [],
    EnrollmentStatus: [],
    AssetSpec: [],
    AssetType: [],
    DeviceLocationStatus: [],
    Routing: [],
    EventType: [],
    StageStatus: [],
    EventOutcome: [],
  },
  1,
)

const refusal = () =>
  new CallError({
    code: 'target-refused',
    retry: { kind: 'never' },
    outcome: 'refused',
    connection: 'DERMS_A',
    message: 'DERMS_A: deviceScore was refused',
    status: 400,
    durationMs: 1,
  })
