import { type FileFlowId, fileFlowIds, isFileFlow } from '@tieline/contracts/flows'
import type { Journal } from '@tieline/journal/journal'
import { messagesNewestFirst } from '@tieline/journal/message-list'
import { type MessageSummary, openIndex, readMessageFile } from '@tieline/journal/operations'
import { effectiveFlow, type Installation } from '@tieline/runtime/installation'
import { rowsOfDevice } from './device-index.ts'
import { findRows, type RowStory } from './find-rows.ts'
import { forEachLimited } from './for-each-limited.ts'

/** The rows of a device in one event file. */
export interface DeviceRows {
  readonly message: MessageSummary
  readonly rows: readonly RowStory[]
}

export interface FoundDevice {
  readonly found: readonly DeviceRows[]
  /** Keys of the messages that could not be searched: neither what their devices are found by is there, nor their file. */
  readonly unsearched: readonly string[]
}

/** So many files are searched at a time: a bucket takes its time for each. */
const atOnce = 8

/**
 * Finds a device in the event files of all messages that are kept, the latest first. It reads six bytes for each row of them.
 */
export async function findDevice(journal: Journal, device: string, installation: Installation): Promise<FoundDevice> {
  const found: DeviceRows[] = []
  const unsearched: string[] = []
  const search = async (message: MessageSummary): Promise<void> => {
    try {
      const rows = await rowsIn(journal, message, device, installation)
      if (rows.length > 0) found.push({ message, rows })
    } catch (error) {
      journal.logger.debug({ err: error, key: message.key }, 'A file could not be searched')
      unsearched.push(message.key)
    }
  }
  for (const flow of fileFlowIds) {
    for await (const page of messagesNewestFirst(journal, { flow })) await forEachLimited(page, atOnce, search)
  }
  return { found: found.toSorted((a, b) => b.message.seq - a.message.seq), unsearched }
}

/** Numbers of the rows of a device, by what is kept beside its message. Undefined when there is nothing of the kind. */
export async function numbersByIndex(journal: Journal, key: string, device: string): Promise<number[] | undefined> {
  const index = await openIndex(journal, key)
  return index && Array.fromAsync(rowsOfDevice(index, device))
}

async function rowsIn(
  journal: Journal,
  { key, flow }: MessageSummary,
  device: string,
  installation: Installation,
): Promise<RowStory[]> {
  const numbers = await numbersByIndex(journal, key, device)
  // Most files do not have the device: nothing more of them need be read.
  if (numbers?.length === 0 || !isFileFlow(flow)) return []
  const file = await readMessageFile(journal, key)
  return file === undefined
    ? []
    : Array.fromAsync(findRows(file, { device, numbers, ...rowSettings(flow, installation) }))
}

/** What finding rows needs to know of a flow. */
export const rowSettings = (flow: FileFlowId, installation: Installation) => ({
  flow,
  segmentRows: effectiveFlow(flow, installation).segmentRows ?? 1,
  aliases: installation.compat.fieldAliases[flow],
})
