import type { ConfigProps } from '@tieline/lookups/config-props'
import type { Connection, Installation } from '@tieline/runtime/installation'
import { type Connections, createConnections } from '@tieline/targets/connections'
import { createMailer } from '@tieline/targets/mailer'
import { type Finding, testDacs, testDerms, testMail, testScoreSource } from '../connection-tests.ts'
import { printable } from '../table.ts'
import { type Command, CommandFault, defineCommand } from './command.ts'

/** Name of the mail server among the connections; no connection that is one is affected by it. */
const mailName = 'mail'

const test = defineCommand({
  name: 'connections test',
  usage: '[name]',
  summary: 'Calls every connection, or one, and the mail server (mail); says what is wrong and what to do.',
  options: {},
  words: { min: 0, max: 1 },
  async run({ words: [name], tools }) {
    const { installation } = await tools.settings()
    await using connections = await createConnections(installation.connections, { logger: tools.logger })
    const tests = connectionTests(installation, connections, async () => (await tools.lookups()).snapshot().configProps)
    const chosen = name === undefined ? [...tests.values()] : [tests.get(name) ?? unknown(name, tests)]
    const findings = await Promise.all(chosen.map((run) => run()))
    for (const { sentence } of findings) tools.print(sentence)
    const faults = findings.filter(({ ok }) => !ok).length
    if (faults > 0) throw new CommandFault(`${faults} of ${findings.length} connections have a fault.`)
  },
})

type Test = () => Promise<Finding>

function connectionTests(
  { connections: configured, mail, deviceScore }: Installation,
  connections: Connections,
  properties: () => Promise<ConfigProps>,
): Map<string, Test> {
  const tests = new Map<string, Test>()
  if (mail !== undefined) {
    tests.set(mailName, async () => {
      await using mailer = createMailer(mail)
      return testMail(mailer)
    })
  }
  for (const [name, connection] of Object.entries(configured)) {
    if (deviceScore.some(({ source }) => source === name)) {
      tests.set(name, () => testScoreSource(name, configured, properties))
      continue
    }
    const takesScores = deviceScore.some(({ target }) => target === name)
    tests.set(name, () => testConnection(name, connection, connections, takesScores))
  }
  return tests
}

async function testConnection(
  name: string,
  connection: Connection,
  connections: Connections,
  takesScores: boolean,
): Promise<Finding> {
  switch (connection.kind) {
    case 'dacs':
      return testDacs(connections.dacs(name))
    case 'derms':
      return testDerms(connections.derms(name), { paths: connection.paths, takesScores })
    default:
      return { ok: true, sentence: `${name}: not tested: it is the source of no transfer.` }
  }
}

function unknown(name: string, tests: ReadonlyMap<string, Test>): never {
  throw new CommandFault(`There is no connection ${printable(name)}; there are ${[...tests.keys()].join(', ')}.`)
}

export const connectionCommands: readonly Command[] = [test]
