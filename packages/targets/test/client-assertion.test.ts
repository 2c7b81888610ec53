import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { createAssertions } from '../src/client-assertion.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' })

it('signs with a new key as soon as the file holds one, and with the former one while it holds none', async () => {
  const [before, after] = [newKey(), newKey()]
  const folder = await mkdtemp(join(tmpdir(), 'tieline-assertions-'))
  try {
    const file = join(folder, 'key.pem')
    const told: string[] = []
    const make = createAssertions({ clientId: 'c', audience: 'https://idp.example', file }, (message) =>
      told.push(message),
    )
    await expect(make()).rejects.toThrow('ENOENT')
    await writeFile(file, pem(before.privateKey))
    await jwtVerify(await make(), before.publicKey)
    await writeFile(file, 'half of a key')
    await jwtVerify(await make(), before.publicKey)
    await jwtVerify(await make(), before.publicKey)
    expect(told).toEqual([`The key ${file} cannot be used. The former one stays in use.`])
    await writeFile(file, pem(after.privateKey))
    await jwtVerify(await make(), after.publicKey)
  } finally {
    await rm(folder, { recursive: true })
  }
})
