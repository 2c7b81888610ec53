import type { ConfigProps } from '@tieline/lookups/config-props'
import type { Connection, Installation } from '@tieline/runtime/installation'
import { type Connections, createConnections } from '@tieline/targets/connections'
import { createMailer } from '@tieline/targets/mailer'
import { certificateWarnings } from '../certificate-warnings.ts'
import {
  type Finding,
  testBills,
  testDacs,
  testDerms,
  testMail,
  testPayloads,
  testScoreSource,
} from '../connection-tests.ts'
import { printable } from '../table.ts'
import { type Command, CommandFault, defineCommand } from './command.ts'

/** What is tested beside the connections goes by the name of its section; a connection of that name is tested before it. */
const sections = { mail: 'mail', bills: 'bills', payloads: 'payloads' } as const

const test = defineCommand({
  name: 'connections test',
  usage: '[name]',
  summary:
    'Calls every connection, or one, the mail server (mail), the place of bills (bills) and the bucket of payloads (payloads); says what is wrong and what to do, and which certificates end within 30 days.',
  options: {},
  words: { min: 0, max: 1 },
  async run({ words: [name], tools }) {
    const { installation } = await tools.settings()
    await using connections = await createConnections(installation.connections, { logger: tools.logger })
    const tests = connectionTests(installation, connections, async () => (await tools.lookups()).snapshot().configProps)
    const chosen = name === undefined ? [...tests.values()] : [tests.get(name) ?? unknown(name, tests)]
    const findings = await Promise.all(chosen.map((run) => run()))
    for (const { sentence } of findings) tools.print(sentence)
    for (const sentence of await certificateWarnings(installation, name)) tools.print(sentence)
    const faults = findings.filter(({ ok }) => !ok).length
    if (faults > 0) throw new CommandFault(`${faults} of ${findings.length} connections have a fault.`)
  },
})

type Test = () => Promise<Finding>

function connectionTests(
  installation: Installation,
  connections: Connections,
  properties: () => Promise<ConfigProps>,
): Map<string, Test> {
  const { connections: configured, mail, deviceScore, bills, payloads } = installation
  const tests = new Map<string, Test>()
  if (mail !== undefined) {
    tests.set(sections.mail, async () => {
      await using mailer = createMailer(mail)
      return testMail(mailer)
    })
  }
  if (bills !== undefined) tests.set(sections.bills, () => testBills(bills, configured))
  // A directory belongs to whoever makes it first, and that shall be a service.
  if (payloads.kind !== 'fs') tests.set(sections.payloads, () => testPayloads(installation))
  for (const [name, connection] of Object.entries(configured)) {
    if (deviceScore.some(({ source }) => source === name)) {
      tests.set(name, () => testScoreSource(name, configured, properties))
      continue
    }
    const takesScores = deviceScore.some(({ target }) => target === name)
    tests.set(name, () =>
      testConnection(name, connection, connections, { takesScores, use: useOf(name, installation) }),
    )
  }
  return tests
}

/** The section that uses a place of files, and whose test is one of its connection too. */
const useOf = (name: string, { bills, payloads }: Installation): string | undefined => {
  if (bills !== undefined && 'connection' in bills.source && bills.source.connection === name) return sections.bills
  return 'connection' in payloads && payloads.connection === name ? sections.payloads : undefined
}

async function testConnection(
  name: string,
  connection: Connection,
  connections: Connections,
  { takesScores, use }: { readonly takesScores: boolean; readonly use: string | undefined },
): Promise<Finding> {
  switch (connection.kind) {
    case 'dacs':
      return testDacs(connections.dacs(name), connection.paths)
    case 'derms':
      return testDerms(connections.derms(name), { paths: connection.paths, takesScores })
    default:
      return { ok: true, sentence: use ? `${name}: see ${use}.` : `${name}: not tested: nothing uses it.` }
  }
}

function unknown(name: string, tests: ReadonlyMap<string, Test>): never {
  throw new CommandFault(`There is no connection ${printable(name)}; there are ${[...tests.keys()].join(', ')}.`)
}

export const connectionCommands: readonly Command[] = [test]
