import { createHash, type KeyLike, sign } from 'node:crypto'

export interface SignedRequest {
  /** Private key, PEM or otherwise. */
  readonly key: KeyLike
  readonly keyId: string
  readonly body?: unknown
  readonly content?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Headers that are sent, but changed after the signature. */
  readonly forged?: Readonly<Record<string, string>>
  readonly date?: Date
}

/** Makes a request of OCI and signs it by the book: https://docs.oracle.com/iaas/Content/API/Concepts/signingrequests.htm. */
export async function callSigned(url: string, method: string, target: string, request: SignedRequest) {
  const body = request.body === undefined ? request.content : JSON.stringify(request.body)
  const date = (request.date ?? new Date()).toUTCString()
  const signed: Record<string, string> = { host: new URL(url).host, 'x-date': date }
  if (method === 'POST') {
    signed['content-type'] = 'application/json'
    signed['content-length'] = String(Buffer.byteLength(body ?? ''))
    signed['x-content-sha256'] = createHash('sha256')
      .update(body ?? '')
      .digest('base64')
  }
  const names = ['(request-target)', ...Object.keys(signed)]
  const lines = names.map((name) => `${name}: ${signed[name] ?? `${method.toLowerCase()} ${target}`}`)
  const signature = sign('RSA-SHA256', Buffer.from(lines.join('\n')), request.key).toString('base64')
  const authorization = `Signature version="1",keyId="${request.keyId}",algorithm="rsa-sha256",headers="${names.join(' ')}",signature="${signature}"`
  const { host: _, 'content-length': __, ...sendable } = signed
  const answer = await fetch(url + target, {
    method,
    headers: { authorization, ...sendable, ...request.headers, ...request.forged },
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type') === 'application/json'
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined }
}
