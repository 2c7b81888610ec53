import { describe, expect, it } from 'vitest'
import { faultOfS3Signature } from '../src/s3-signature.ts'

/** The examples that Amazon gives with its description of the signature: their keys, requests and signatures. */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const host = 'examplebucket.s3.amazonaws.com'
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const usual = { host, 'x-amz-content-sha256': emptyHash, 'x-amz-date': '20130524T000000Z' }
const usualNames = 'host;x-amz-content-sha256;x-amz-date'
const signed = (headers: object, names: string, signature: string) => ({
  ...headers,
  authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`,
})
const examples = [
  {
    method: 'GET',
    target: '/test.txt',
    headers: signed(
      { ...usual, range: 'bytes=0-9' },
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  },
  {
    method: 'GET',
    target: '/?lifecycle',
    headers: signed(usual, usualNames, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'),
  },
  {
    method: 'GET',
    target: '/?max-keys=2&prefix=J',
    headers: signed(usual, usualNames, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'),
  },
] as const
const then = { region: 'us-east-1', nowMs: Date.parse('2013-05-24T00:10:00Z') }

describe('a signature of S3', () => {
  it.each(examples)('is right when Amazon says so: $target', (request) => {
    expect(faultOfS3Signature(request, credentials, then)).toBeUndefined()
  })

  it('is wrong when anything that it covers is another', () => {
    const [request] = examples
    const { authorization } = request.headers
    for (const [changed, secret, fault] of [
      [{ ...request, method: 'HEAD' }, credentials, 'SignatureDoesNotMatch'],
      [{ ...request, target: '/test.txt?a=b' }, credentials, 'SignatureDoesNotMatch'],
      [{ ...request, target: '/tesT.txt' }, credentials, 'SignatureDoesNotMatch'],
      [{ ...request, headers: { ...request.headers, host: 'other' } }, credentials, 'SignatureDoesNotMatch'],
      [{ ...request, headers: { ...request.headers, range: 'bytes=0-8' } }, credentials, 'SignatureDoesNotMatch'],
      [{ ...request, headers: { ...request.headers, 'x-amz-other': '1' } }, credentials, 'SignatureDoesNotMatch'],
      [request, { ...credentials, secretAccessKey: 'other' }, 'SignatureDoesNotMatch'],
      [request, { ...credentials, accessKeyId: 'other' }, 'InvalidAccessKeyId'],
      [request, { ...credentials, sessionToken: 'token' }, 'InvalidToken'],
      [{ ...request, headers: { ...usual } }, credentials, 'AccessDenied'],
      [
        { ...request, headers: { ...request.headers, authorization: authorization.replace('/s3/', '/sts/') } },
        credentials,
        'AuthorizationHeaderMalformed',
      ],
    ] as const)
      expect(faultOfS3Signature(changed, secret, then)).toBe(fault)
    const late = { region: 'us-east-1', nowMs: Date.parse('2013-05-24T00:16:00Z') }
    expect(faultOfS3Signature(request, credentials, late)).toBe('RequestTimeTooSkewed')
    expect(faultOfS3Signature(request, credentials, { ...then, region: 'eu-west-1' })).toBe(
      'AuthorizationHeaderMalformed',
    )
  })
})
