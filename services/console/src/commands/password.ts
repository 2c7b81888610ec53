import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { hashPassword } from '@tieline/runtime/password-hash'
import type { Terminal } from '../tools.ts'
import { type Command, CommandFault, defineCommand } from './command.ts'

const lengthMin = 12

const hash = defineCommand({
  name: 'password hash',
  usage: '',
  summary: 'Reads a password, from standard input or at a prompt, and prints its hash for `console.users`.',
  options: {},
  async run({ tools }) {
    const password = await readPassword(tools.terminal)
    if ([...password].length < lengthMin) {
      throw new CommandFault(`The password needs at least ${lengthMin} characters.`)
    }
    tools.print(await hashPassword(password))
  },
})

async function readPassword({ stdin, stderr }: Terminal): Promise<string> {
  if (!stdin.isTTY) return (await text(stdin)).replace(/\r?\n$/, '')
  stderr.write('Password: ')
  // The prompt echoes what is typed to its output, so that goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: stdin, output: nowhere, terminal: true })
  try {
    return await prompt.question('')
  } finally {
    prompt.close()
    stderr.write('\n')
  }
}

export const passwordCommands: readonly Command[] = [hash]
