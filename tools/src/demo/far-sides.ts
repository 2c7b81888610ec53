import type { FileFlowId, InboundFlowId } from '@tieline/contracts/flows'
import { z } from 'zod'
import type { World } from './world.ts'

const receivedCalls = z.array(
  z.object({ operation: z.string(), body: z.unknown(), answered: z.unknown(), applied: z.boolean() }),
)
const answer = z.object({ status: z.number().optional(), body: z.unknown() })
const row = z.object({
  id: z.number(),
  status: z.string(),
  numRetries: z.number(),
  done: z.boolean(),
  answers: z.array(answer),
  acks: z.array(z.object({ ackType: z.string(), responses: z.object({ response: z.array(z.looseObject({})) }) })),
})
const mail = z.object({ to: z.array(z.string()), subject: z.string() })

export type Row = z.infer<typeof row>

/** What the demo asks of the simulators, and all it judges by. */
export function createFarSides({ urls }: Pick<World, 'urls'>) {
  const get = async <Shape>(url: string, schema: z.ZodType<Shape>): Promise<Shape> =>
    schema.parse(await (await fetch(url)).json())
  const post = async (url: string, body: unknown): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    dacs: {
      received: async (operation: string) =>
        await get(`${urls.dacs}/control/received?operation=${operation}`, receivedCalls),
      state: () => get(`${urls.dacs}/control/state`, z.looseObject({})),
      control: (what: string, body: object) => post(`${urls.dacs}/control/${what}`, body),
      /** Sends as DACS does and tells what DACS was told. */
      send: async (flow: InboundFlowId, body: unknown) =>
        answer.parse(await post(`${urls.dacs}/control/send`, { flow, body })),
    },
    derms: {
      received: async (operation: string) =>
        await get(`${urls.derms}/control/received?operation=${operation}`, receivedCalls),
      control: (what: string, body: object) => post(`${urls.derms}/control/${what}`, body),
      /** Sends as DERMS does, by its outbound table, and tells the row after the first answer. */
      send: async (flow: InboundFlowId, body: unknown): Promise<Row> =>
        row.parse(await post(`${urls.derms}/control/send`, { flow, body })),
      /** Sends a JSON part and a CSV file as DERMS does, and tells the row once the file is accepted or refused. */
      sendFile: async (flow: FileFlowId, body: unknown, content: string): Promise<Row> =>
        row.parse(
          await post(`${urls.derms}/control/send-file`, { flow, body, file: { name: 'devices.csv', content } }),
        ),
      scoreFiles: async () =>
        (
          await get(
            `${urls.derms}/control/state`,
            z.looseObject({ scoreFiles: z.array(z.object({ name: z.string() })) }),
          )
        ).scoreFiles,
      rows: async (): Promise<Row[]> =>
        (await get(`${urls.derms}/control/state`, z.looseObject({ outbound: z.array(row) }))).outbound,
    },
    /** The place of a transfer's score files. */
    files: (transfer: 'sftp' | 'bucket') => {
      const url = `${transfer === 'sftp' ? urls.sftpFiles : urls.bucketFiles}/control/files`
      return {
        put: async (name: string, content: string) => {
          const response = await fetch(`${url}/${encodeURIComponent(name)}`, { method: 'PUT', body: content })
          if (!response.ok) throw new Error(`${url} answered ${response.status}`)
        },
        names: async () => (await get(url, z.array(z.object({ name: z.string() })))).map(({ name }) => name).sort(),
      }
    },
    mails: () => get(`${urls.mailbox}/control/mails`, z.array(mail)),
  }
}

export type DemoFarSides = ReturnType<typeof createFarSides>
