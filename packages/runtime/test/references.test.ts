// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like template strings
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseInstallation } from '../src/installation.ts'
import { resolveReferences } from '../src/references.ts'

let baseDir: string
beforeAll(async () => {
  baseDir = await mkdtemp(join(tmpdir(), 'tieline-references-'))
  await writeFile(join(baseDir, 'secret'), 'from-the-file\n')
})
afterAll(() => rm(baseDir, { recursive: true }))

const resolve = (text: string, env: NodeJS.ProcessEnv = {}) =>
  resolveReferences({ list: [{ text }], port: 22, none: null }, { env, baseDir })

describe('a reference', () => {
  it('is replaced anywhere in a text, and what it brings is taken as it is', () => {
    expect(resolve('a-${A}-${file:secret}-z', { A: '${B}: "{x}" # $&' })).toEqual({
      value: { list: [{ text: 'a-${B}: "{x}" # $&-from-the-file-z' }], port: 22, none: null },
      faults: [],
    })
  })

  it('may bring an empty text', () => {
    expect(resolve('${A}', { A: '' })).toEqual({ value: { list: [{ text: '' }], port: 22, none: null }, faults: [] })
  })

  it.each([
    ['${NONE}', 'needs the environment variable NONE, which is not set'],
    ['${file:none}', 'needs a file that cannot be read (ENOENT)'],
    ['${}', expect.stringContaining('names neither')],
    ['${not a name}', expect.stringContaining('names neither')],
    ['${OPEN', expect.stringContaining('names neither')],
  ])('such as %s is a fault where it stands', (text, rule) => {
    expect(resolve(text, { OPEN: 'x' }).faults).toEqual([{ path: 'list[0].text', rule }])
  })

  it('that failed is the only fault reported at its place', () => {
    const text = `{ ingress: { clients: [] }, connections: { X: { kind: derms, baseUrl: "\${URL}", auth: none } } }`
    expect(() => parseInstallation(text, {}, baseDir)).toThrow(
      [
        'The installation file has faults:',
        '  connections.X.baseUrl: needs the environment variable URL, which is not set',
        '  ingress.clients: needs at least one client',
      ].join('\n'),
    )
  })
})
