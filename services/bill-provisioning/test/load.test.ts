import { describe, expect, test } from 'vitest'
import { downloadPath, get, healthPath, keepingAgent } from './client.ts'
import { billOf, mib } from './harness.ts'
import { places } from './places.ts'
import { startProgram } from './program.ts'

const bills = Array.from({ length: 20 }, () => billOf(mib))

describe.each(Object.entries(places))('from %s', (_, open) => {
  test('500 bills of 1 MiB are downloaded at once, all as they are, in bounded memory', async () => {
    await using place = await open()
    for (const [i, bill] of bills.entries()) await place.put(`${i}.pdf`, bill)
    await using program = await startProgram(place, {}, './patient-main.ts')
    using agent = keepingAgent()
    const downloads = Array.from({ length: 500 }, async (_, i) => {
      const which = i % bills.length
      const { status, whole, body } = await get(program.url, downloadPath(`${which}`), { agent })
      return { status, whole, right: bills[which]?.equals(body) }
    })
    expect((await get(program.url, healthPath)).status).toBe(200)
    expect(await Promise.all(downloads)).toEqual(Array(500).fill({ status: 200, whole: true, right: true }))
    expect(await program.peakMib()).toBeLessThan(300)
  })
})
