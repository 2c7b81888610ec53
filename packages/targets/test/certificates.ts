import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certificate {
  /** A certificate for 127.0.0.1 and localhost, good for servers and clients. `unit`: as OCI gives one to an instance. `endsAt`: default in a day. */
  issue(commonName: string, unit?: string, endsAt?: number): Certificate
}

/**
 * A throw-away certificate authority, written here byte by byte (X.509 v3, RFC 5280) because Node can read certificates
 * but not make them, and the tests shall not need a command-line tool.
 */
export function createAuthority(commonName: string): Authority {
  const issuer = { name: distinguishedName(commonName), ...newKey() }
  return {
    cert: certificate({ issuer, subject: issuer, extensions: [authorityConstraint] }),
    key: issuer.pem,
    issue(subjectName, unit, endsAt) {
      const subject = { name: distinguishedName(subjectName, unit), ...(unit === undefined ? newKey() : newRsaKey()) }
      return { cert: certificate({ issuer, subject, extensions: [loopbackNames], endsAt }), key: subject.pem }
    },
  }
}

interface Party {
  readonly name: Buffer
  readonly privateKey: KeyObject
  readonly publicKey: Buffer
}

const newKey = () => described(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const newRsaKey = () => described(generateKeyPairSync('rsa', { modulusLength: 2_048 }))

function described({ privateKey, publicKey }: KeyPairKeyObjectResult) {
  return {
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function certificate({
  issuer,
  subject,
  extensions,
  endsAt = Date.now() + 86_400_000,
}: {
  issuer: Party
  subject: Party
  extensions: Buffer[]
  endsAt?: number | undefined
}): string {
  const content = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    issuer.name,
    sequence(utcTime(Date.now() - 86_400_000), utcTime(endsAt)),
    subject.name,
    subject.publicKey,
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', content, issuer.privateKey)
  const der = sequence(content, ecdsaWithSha256, tagged(0x03, Buffer.of(0), signature))
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), content])
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts)
const integer = (value: Buffer): Buffer => tagged(0x02, value)
const objectId = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'))

const distinguishedName = (commonName: string, unit?: string): Buffer =>
  sequence(nameField('550403', commonName), ...(unit === undefined ? [] : [nameField('55040b', unit)]))
const nameField = (type: string, value: string) =>
  tagged(0x31, sequence(objectId(type), tagged(0x0c, Buffer.from(value))))

const utcTime = (ms: number): Buffer => {
  const [date = '', time = ''] = new Date(ms).toISOString().slice(2, 19).replaceAll(/[-:]/g, '').split('T')
  return tagged(0x17, Buffer.from(`${date}${time}Z`))
}

const critical = tagged(0x01, Buffer.of(0xff))
const authorityConstraint = sequence(
  objectId('551d13'),
  critical,
  tagged(0x04, sequence(tagged(0x01, Buffer.of(0xff)))),
)
const loopbackNames = sequence(
  objectId('551d11'),
  tagged(0x04, sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.of(127, 0, 0, 1)))),
)
