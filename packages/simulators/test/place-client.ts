import { call } from './call.ts'

/** Drives a place of files over HTTP. @param url where its `/control` is */
export function createPlaceClient(url: string) {
  const addressOf = (name: string) => `${url}/control/files/${encodeURIComponent(name)}`
  const get = (what: string) => call(`${url}/control/${what}`, 'GET')
  const list = async (): Promise<{ name: string; bytes: number; modifiedAt: number }[]> => (await get('files')).body
  return {
    url,
    get,
    list,
    names: async () => (await list()).map(({ name }) => name),
    operations: async (): Promise<string[]> =>
      (await get('received')).body.map(({ operation }: { operation: string }) => operation),
    async control(what: string, body: object = {}) {
      const { status } = await call(`${url}/control/${what}`, 'POST', body)
      if (status !== 204) throw new Error(`${what} was answered with ${status}`)
    },
    put: async (name: string, content: string) =>
      (await fetch(addressOf(name), { method: 'PUT', body: content })).status,
    async read(name: string) {
      const response = await fetch(addressOf(name))
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    remove: async (name: string) => (await fetch(addressOf(name), { method: 'DELETE' })).status,
  }
}
