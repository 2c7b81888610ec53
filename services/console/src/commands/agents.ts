import { createAgentToken } from '@tieline/runtime/agent-token'
import { printable } from '../table.ts'
import { type Command, defineCommand } from './command.ts'

const token = defineCommand({
  name: 'agents token',
  usage: '<name>',
  summary: 'Makes a token of an agent, for TIELINE_AGENT_TOKEN, and its hash for `agents` in the installation file.',
  options: {},
  words: { min: 1, max: 1 },
  async run({ words: [name = ''], tools }) {
    const made = createAgentToken()
    tools.print(`TIELINE_AGENT_TOKEN=${made.token}`)
    tools.print(`agents: [{ name: ${printable(name)}, tokenHash: ${made.tokenHash} }]`)
  },
})

export const agentCommands: readonly Command[] = [token]
