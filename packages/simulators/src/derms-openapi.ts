import { z } from 'zod'
import { enrollmentSync, msgAck, statusCheck } from './derms-messages.ts'

const root = '/nms-drms/rest/v1'

const jsonSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' })

const post = (operationId: string, body: z.ZodType) => ({
  post: {
    operationId,
    requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body) } } },
    responses: {
      200: { description: 'Received', content: { 'application/json': { schema: jsonSchema(msgAck(true)) } } },
    },
  },
})

/** What `GET /openapi.json` answers: the operations of NMS-DACSInbound that this simulator serves. */
export const openApiDocument = {
  openapi: '3.0.3',
  info: { title: 'NMS-DACSInbound', version: '1.0' },
  servers: [{ url: root }],
  paths: {
    '/enroll': post('enroll', enrollmentSync),
    '/status-check': post('statusCheck', statusCheck),
    '/event-reservation-ack': post('eventReservationAck', msgAck(true)),
    '/device-outcome-ack': post('deviceOutcomeAck', msgAck(true)),
    '/device-score/{file-name}': {
      post: {
        operationId: 'deviceScore',
        parameters: [{ name: 'file-name', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: {
          required: true,
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        responses: { 200: { description: 'Received' } },
      },
    },
  },
}

/** What `GET /catalog` answers. */
export const serviceCatalog = {
  services: [{ name: 'NMS-DACSInbound', description: 'Calls from DACS', url: `${root}/openapi.json` }],
}
