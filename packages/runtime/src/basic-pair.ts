/** User name and password of a header of HTTP Basic; undefined when it is none. */
export function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  const [, base64] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? []
  if (base64 === undefined) return undefined
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(base64, 'base64').toString()) ?? []
  return username === undefined || password === undefined ? undefined : { username, password }
}
