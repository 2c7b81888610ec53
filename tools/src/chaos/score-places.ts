import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sendEffect } from '@tieline/device-score/ledger'
import { transferKey } from '@tieline/journal/transfers/runs'
import type { Found, Put } from './history.ts'
import type { PutStep } from './plan.ts'

export const transferNames = ['alpha', 'beta', 'gamma'] as const
export type TransferName = (typeof transferNames)[number]

/** Where each transfer finds its files; the last one through a disturbed network. */
const sources = { alpha: 'SCORES_A', beta: 'SCORES_B', gamma: 'SCORES_SFTP' } as const

export const transferOf = (name: TransferName) => ({ name, source: sources[name] })

export const keyOfTransfer = (name: TransferName): string => transferKey(transferOf(name))

/** Section `deviceScore` of the installation file: a run every 3 s. */
export const deviceScore = transferNames.map((name) => ({
  ...transferOf(name),
  target: 'DERMS_SITE1',
  schedule: '*/3 * * * * *',
  timezone: 'UTC',
}))

export interface ScorePlaces {
  readonly directories: Readonly<Record<TransferName, string>>
  readonly puts: readonly Put[]
  /** Puts a new file there, whole at once; nothing when one of its name is there still. */
  put(step: Pick<PutStep, 'transfer' | 'name' | 'bytes'>): Promise<void>
  /** What has neither prefix yet. */
  waiting(): Promise<string[]>
  found(): Promise<Found[]>
}

/** DACS as the writer of score files, and what is to be found where it writes them. */
export async function createScorePlaces(directory: string): Promise<ScorePlaces> {
  const puts: Put[] = []
  const directories = Object.fromEntries(transferNames.map((name) => [name, join(directory, name)])) as Record<
    TransferName,
    string
  >
  for (const path of Object.values(directories)) await mkdir(path)

  const namesIn = async (transfer: TransferName) =>
    (await readdir(directories[transfer])).filter((name) => !name.startsWith(unfinished))
  const describe = async (transfer: TransferName, name: string): Promise<Found> => ({
    transfer: keyOfTransfer(transfer),
    name,
    sha256: sha256(await readFile(join(directories[transfer], name))),
  })
  const everywhere = async <T>(look: (transfer: TransferName) => Promise<T[]>) =>
    (await Promise.all(transferNames.map(look))).flat()

  return {
    directories,
    puts,
    async put({ transfer, name, bytes }) {
      const aside = join(directories[transfer], `${unfinished}${randomUUID()}`)
      const content = Buffer.from(`${transfer} ${name} ${puts.length}\n`.padEnd(bytes, 'score\n'))
      await writeFile(aside, content)
      const { size, mtimeNs, ino } = await stat(aside, { bigint: true })
      // As SFTP tells it, and as a directory does.
      const version = transfer === 'gamma' ? `${size}-${mtimeNs / 1_000_000_000n}` : `${size}-${mtimeNs}-${ino}`
      const at = Date.now()
      const isPut = await link(aside, join(directories[transfer], name)).then(
        () => true,
        () => false,
      )
      await unlink(aside)
      if (!isPut) return
      const file = { name, version, bytes, modifiedAt: 0 }
      puts.push({ transfer: keyOfTransfer(transfer), name, sha256: sha256(content), effect: sendEffect(file), at })
    },
    waiting: () =>
      everywhere(async (transfer) => (await namesIn(transfer)).filter((name) => !/^(Sent|Error)-/.test(name))),
    found: () =>
      everywhere(async (transfer) => Promise.all((await namesIn(transfer)).map((name) => describe(transfer, name)))),
  }
}

const unfinished = '.unfinished-'

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')
