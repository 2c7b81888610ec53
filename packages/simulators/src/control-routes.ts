import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { FarSide, FarSideOptions, SimulatorApp } from './far-side.ts'
import type { FaultControls } from './faults.ts'
import { demand, Refusal } from './refusal.ts'

/** `/control/…`: the methods of the in-process object for those who are in another process. */
export function mountControl(app: SimulatorApp, farSide: FarSide, options: FarSideOptions): void {
  const control = createFaultControl(farSide, httpStatus)
  control.get('/state', (c) => c.json(options.state()))
  app.route('/control', control)
  if (options.control) app.route('/control', options.control)
}

/** What can be told to fail, and tells what arrived. */
export interface Drivable extends FaultControls {
  readonly received: readonly { readonly operation: string }[]
  reset(): unknown
}

/** What an operation over HTTP can be told to fail with. */
export const httpStatus = z.number().int().min(200).max(599)

const target = {
  operation: z.string().optional(),
  times: z.number().int().min(1).optional(),
  containing: z.string().min(1).optional(),
}
const drop = z.strictObject(target)
const stall = z.strictObject({ ...target, ms: z.number().int().min(0) })
const latency = z.strictObject({ operation: z.string().optional(), ms: z.number().int().min(0) })

/** The faults on demand and what arrived, as far as all simulators have them. @param status how `fail-next` can fail */
export function createFaultControl(drivable: Drivable, status: z.ZodNumber): Hono {
  const failNext = z.strictObject({
    ...target,
    status,
    body: z.unknown().optional(),
    apply: z.boolean().optional(),
  })
  const control = createControl()
  control.get('/received', (c) => {
    const operation = c.req.query('operation')
    return c.json(drivable.received.filter((call) => operation === undefined || call.operation === operation))
  })
  control.post('/fail-next', (c) => obey(c, failNext, drivable.failNext))
  control.post('/apply-then-drop', (c) => obey(c, drop, drivable.applyThenDrop))
  control.post('/drop-before', (c) => obey(c, drop, drivable.dropBefore))
  control.post('/stall-next', (c) => obey(c, stall, drivable.stallNext))
  control.post('/latency', (c) => obey(c, latency, drivable.latency))
  control.post('/heal', (c) => obey(c, z.unknown(), drivable.heal))
  control.post('/reset', (c) => obey(c, z.unknown(), drivable.reset))
  return control
}

/** A router whose bad instructions are answered with 400. */
export function createControl(): Hono {
  return new Hono().onError((error, c) => {
    const refusal = error instanceof Refusal ? error : new Refusal(400, 'Bad instruction', error.message)
    return c.json({ title: refusal.title, detail: refusal.detail }, refusal.status === 404 ? 404 : 400)
  })
}

/** Reads an instruction, carries it out, and answers with its result; 204 when there is none. */
export async function obey<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
  act: (instruction: z.output<Schema>) => unknown,
): Promise<Response> {
  const text = await c.req.text()
  const result = await act(demand(schema, text === '' ? {} : JSON.parse(text)))
  return result === undefined ? c.body(null, 204) : c.json(result)
}
