import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** Speaks the commands in turn and returns the code of each answer, stopping at the first refusal. */
export async function converse(port: number, commands: readonly string[]): Promise<number[]> {
  const socket = connect(port, '127.0.0.1')
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const answer = async () => {
    for (;;) {
      const { value = '', done } = await lines.next()
      if (done || value[3] !== '-') return Number(value.slice(0, 3))
    }
  }
  const codes = [await answer()]
  for (const command of ['EHLO test', ...commands]) {
    socket.write(`${command}\r\n`)
    codes.push(await answer())
    if ((codes.at(-1) ?? 999) >= 400) break
  }
  socket.end()
  await once(socket, 'close')
  return codes
}

export interface TestMail {
  readonly subject: string
  readonly text?: string
  readonly html?: string
  /** More lines of the head. */
  readonly headers?: readonly string[]
}

/** The commands that hand over a mail with a part of text and one of HTML. */
export const mailCommands = ({ subject, text = 'Hello', html = '<p>Hello</p>', headers = [] }: TestMail) => [
  'MAIL FROM:<tieline@utility.example>',
  'RCPT TO:<ops@utility.example>',
  'DATA',
  [
    'From: Tieline <tieline@utility.example>',
    'To: Ops <ops@utility.example>, night@utility.example',
    `Subject: ${subject}`,
    'Message-ID: <notice-1@tieline>',
    ...headers,
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '--b',
    'Content-Type: text/html; charset=utf-8',
    '',
    html,
    '--b--',
    '.',
  ].join('\r\n'),
]
