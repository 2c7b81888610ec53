import { Readable } from 'node:stream'
import { runCommandLine } from '@tieline/console/command-line'
import { eventually } from '@tieline/testkit/eventually'
import type { DemoFarSides } from './far-sides.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

/** What an operator types. */
async function tieline({ environment }: World, ...args: string[]): Promise<void> {
  let said = ''
  const output = { write: (text: string) => (said += text) }
  const terminal = { env: { ...process.env, ...environment }, stdin: Readable.from([]), stdout: output, stderr: output }
  if ((await runCommandLine(args, terminal)) !== 0) throw new Error(said)
}

/** The names at the place of files, when nothing is left to transfer there. */
const transferred = (far: DemoFarSides, transfer: 'sftp' | 'bucket') =>
  eventually(async () => {
    const names = await far.files(transfer).names()
    return names.every((name) => /^(Sent|Error)-/.test(name)) ? names : undefined
  })

const goodAndBad = (transfer: 'sftp' | 'bucket', what: string): Scenario => ({
  flow: 'F8 device score',
  what: `${what}: one file goes through, one is refused by DERMS`,
  expected: `Error-DeviceScore_${transfer}_2.csv Sent-DeviceScore_${transfer}_1.csv; DERMS took 1`,
  async run(far, world) {
    await far.files(transfer).put(`DeviceScore_${transfer}_1.csv`, 'nicId,score\nNIC-1,0.9\n')
    await far.files(transfer).put(`DeviceScore_${transfer}_2.csv`, 'nicId,score\nNIC-2,x\n')
    await far.derms.control('fail-next', { operation: 'deviceScore', status: 400, containing: '_2.csv' })
    await tieline(world, 'schedules', 'run', transfer, '--reason', 'demo')
    const names = await transferred(far, transfer)
    const taken = (await far.derms.scoreFiles()).filter(({ name }) => name.includes(transfer))
    return `${names.join(' ')}; DERMS took ${taken.length}`
  },
})

/** Score files from both kinds of places. */
export const transferScenarios: readonly Scenario[] = [
  goodAndBad('sftp', 'SFTP'),
  goodAndBad('bucket', 'bucket'),
  {
    flow: 'F8 device score',
    what: 'an operator sends the refused file again',
    expected: 'Sent-DeviceScore_sftp_1.csv Sent-DeviceScore_sftp_2.csv',
    async run(far, world) {
      // The run that refused it may still be writing its e-mails.
      const retry = ['schedules', 'retry-file', 'sftp', 'DeviceScore_sftp_2.csv', '--reason', 'demo']
      await eventually(() => tieline(world, ...retry).then(() => true))
      const names = await eventually(async () => {
        const all = await far.files('sftp').names()
        return all.every((name) => name.startsWith('Sent-')) ? all : undefined
      })
      return names.join(' ')
    },
  },
]
