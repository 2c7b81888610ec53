import { z } from 'zod'
import manifest from '../package.json' with { type: 'json' }
import { type Contract, type ContractName, contracts } from './contracts.ts'
import { type ExampleName, examples } from './examples.ts'
import {
  type FileFlowId,
  type FlowSpec,
  flows,
  type InboundFlowId,
  inboundFlowIds,
  isFileFlow,
  type OicPath,
} from './flows.ts'
import { problemMediaType, reasonPhrase } from './problem.ts'

/**
 * The OpenAPI 3.1 description of the ingress: every flow under its own paths and under the URLs that installations have
 * today, with the golden examples. Pure: the same contracts always give the same document.
 */
export const buildOpenApi = (): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Tieline ingress',
    version: manifest.version,
    description:
      'Messages that DERMS and DACS send. The same operations answer under the URLs of Oracle Integration. Unless an installation is strict, values of another form are taken that can only mean one of the form described, and lengths that no published document has are advice.',
    license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
  },
  tags: [
    { name: 'DERMS', description: 'Sent by DERMS' },
    { name: 'DACS', description: 'Sent by DACS' },
    { name: 'Health' },
  ],
  security: [{ basic: [] }, { bearer: [] }],
  paths: Object.fromEntries([...inboundFlowIds.flatMap(flowPaths), ...healthPaths]),
  components: {
    securitySchemes: {
      basic: { type: 'http', scheme: 'basic' },
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    },
    parameters: { apiVersion, project, version },
    schemas: Object.fromEntries(usedContracts.map((name) => [name, schemaOf(name)])),
    responses: Object.fromEntries(
      refusals.flatMap((status) => [
        [`problem-${status}`, refusal(status, problemMediaType, 'problem')],
        [`fault-${status}`, refusal(status, 'application/json', 'oic-fault')],
      ]),
    ),
  },
})

const pathParameter = (name: string, schema: object, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
})

const apiVersion = pathParameter('apiVersion', { type: 'string', enum: ['v1', 'v2'] }, 'Either version of the URL')
const project = pathParameter('project', { type: 'string', example: 'OUTL-BA-DACS_DERMS' }, 'Any project code')
const version = pathParameter('version', { type: 'string', example: '1.0' }, 'Any version of the process')

const oicRoot = '/ic/api/integration/{apiVersion}/flows/oracleutilities'
const parameterRefs = (...names: string[]) => names.map((name) => ({ $ref: `#/components/parameters/${name}` }))

/** Every path of a flow, the primary one first. Each operation gets an id of its own, numbered in this order. */
function flowPaths(id: InboundFlowId): [string, object][] {
  const spec: FlowSpec = flows[id]
  const paths: { path: string; parameters: object[] }[] = [
    ...spec.paths.map((path) => ({ path, parameters: [] })),
    ...spec.oicPaths.flatMap(oicPathsOf),
  ]
  return paths.map(({ path, parameters }, index) => [
    path,
    {
      ...(parameters.length > 0 && { parameters }),
      post: { operationId: `${camelCase(id)}${index === 0 ? '' : index + 1}`, ...operation(id, spec) },
    },
  ])
}

const oicPathsOf = ({ processId, uri }: OicPath) => [
  {
    path: `${oicRoot}/project/{project}/${processId}/{version}${uri}`,
    parameters: parameterRefs('apiVersion', 'project', 'version'),
  },
  { path: `${oicRoot}/${processId}/{version}${uri}`, parameters: parameterRefs('apiVersion', 'version') },
]

const operation = (id: InboundFlowId, spec: FlowSpec) => ({
  tags: [spec.caller],
  summary: `${spec.code} ${spec.title}`,
  requestBody: {
    required: true,
    content: isFileFlow(id) ? multipartContent(id) : content('application/json', id, contracts[id].examples),
  },
  responses: { ...success(id, spec), ...refusalRefs(spec) },
})

/** A JSON part and a file, in either order and under any names. */
const multipartContent = (id: FileFlowId) => {
  const parts = {
    schema: {
      type: 'object',
      required: ['request', 'file'],
      properties: {
        request: { $ref: `#/components/schemas/${id}` },
        file: { type: 'string', contentMediaType: 'text/csv', description: 'UTF-8, with a header row' },
      },
    },
    encoding: { request: { contentType: 'application/json' }, file: { contentType: 'text/csv' } },
    examples: Object.fromEntries(
      contracts[id].examples.map((name) => [name, { value: { request: examples[name], file: fileExample[id] } }]),
    ),
  }
  return { 'multipart/mixed': parts, 'multipart/form-data': parts, 'multipart/related': parts }
}

const fileExample: Record<FileFlowId, string> = {
  'event-reservation': 'nicId,headEndSystemId\nNIC-0001,NEST\n',
  'event-outcome': 'stageId,nicId,headEndSystemId,outcome\n1315,NIC-0001,NEST,SUCCESS\n',
}

const replyExamples: Record<InboundFlowId, readonly ExampleName[]> = {
  'enrollment-request': ['enrollment-request.reply', 'enrollment-request.reply-mixed'],
  'enrollment-sync': ['enrollment-sync.reply'],
  'enrollment-sync-ack': [],
  'device-status-check': ['device-status-check.reply'],
  'device-status-ack': ['device-status-ack.reply'],
  'event-reservation': [],
  'stage-status': ['stage-status.reply', 'stage-status.refused-reply'],
  'event-outcome': [],
}

function success(id: InboundFlowId, spec: FlowSpec): object {
  if (spec.replyMode === 'accept') return { 202: { description: 'Accepted and durable; the work follows' } }
  return spec.replyShape === 'msgAck'
    ? {
        200: {
          description: 'The result, good or not; a FAILURE with value IN_PROGRESS means: send again to collect it',
          content: content('application/json', 'msg-ack', replyExamples[id]),
        },
      }
    : {
        200: {
          description: 'Received by DERMS',
          content: content('application/json', 'external-id', replyExamples[id]),
        },
      }
}

/** Refusals of the ingress itself. DACS gets its own shape for all of them, and for the failures of a target as 500. */
const refusals = [400, 401, 403, 408, 413, 415, 429, 500, 503]

function refusalRefs(spec: FlowSpec): object {
  const shape = spec.replyShape === 'externalId' ? 'fault' : 'problem'
  return Object.fromEntries(refusals.map((status) => [status, { $ref: `#/components/responses/${shape}-${status}` }]))
}

const refusal = (status: number, mediaType: string, contract: 'problem' | 'oic-fault') => ({
  description: reasonPhrase(status),
  ...((status === 429 || status === 503) && {
    headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } },
  }),
  ...(status === 401 && {
    headers: { 'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' } } },
  }),
  content: content(mediaType, contract, exampleOf(status, contract)),
})

const exampleOf = (status: number, contract: 'problem' | 'oic-fault'): ExampleName[] => {
  if (contract === 'problem') return status === 400 ? ['problem'] : []
  return status === 500 ? ['enrollment-sync.fault'] : []
}

const content = (mediaType: string, contract: ContractName, names: readonly ExampleName[]) => ({
  [mediaType]: {
    schema: { $ref: `#/components/schemas/${contract}` },
    ...(names.length > 0 && {
      examples: Object.fromEntries(names.map((name) => [name, { value: examples[name] }])),
    }),
  },
})

const usedContracts: ContractName[] = [...inboundFlowIds, 'msg-ack', 'external-id', 'problem', 'oic-fault']

function schemaOf(name: ContractName): object {
  const contract: Contract = contracts[name]
  const { $schema: _, ...schema } = z.toJSONSchema(contract.schema, { io: 'input' })
  return { title: contract.title, ...schema }
}

const healthPath = (operationId: string, good: string, bad: string) => ({
  get: {
    operationId,
    tags: ['Health'],
    summary: good,
    security: [],
    responses: { 200: { description: good }, 503: { description: bad } },
  },
})

const healthPaths: [string, object][] = [
  ['/health/live', healthPath('live', 'The process runs', 'The process is stopping')],
  [
    '/health/ready',
    healthPath('ready', 'Messages are accepted', 'Redis does not take writes, or the process is stopping'),
  ],
]

const camelCase = (id: string): string => id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
