import { describe, expect, it } from 'vitest'
import { hashPassword, isPasswordHash, verifyPassword } from '../src/password-hash.ts'

describe('a password hash', () => {
  it('verifies the password it was made of and no other, and is different each time', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
    expect(one).toMatch(/^scrypt:32768:8:3:/)
    expect(one).not.toBe(two)
    expect(isPasswordHash(one)).toBe(true)
    expect(await verifyPassword('correct horse', one)).toBe(true)
    expect(await verifyPassword('correct horse ', one)).toBe(false)
    expect(await verifyPassword('', one)).toBe(false)
  })

  it('verifies a password typed with other code points for the same letters', async () => {
    expect(await verifyPassword('u\u0308ber', await hashPassword('\u00fcber'))).toBe(true)
  })

  it.each([
    'plain',
    'scrypt:32768:8:3::',
    'scrypt:32767:8:3:AAECAwQFBgcICQoLDA0ODw==:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
    'scrypt:8388608:32:1:AAECAwQFBgcICQoLDA0ODw==:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
    'scrypt:32768:0:3:AAECAwQFBgcICQoLDA0ODw==:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  ])('that is malformed or asks for too much memory lets nobody in: %s', async (hash) => {
    expect(isPasswordHash(hash)).toBe(false)
    expect(await verifyPassword('plain', hash)).toBe(false)
  })
})
