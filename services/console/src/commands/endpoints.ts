import { flowSpec, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import { readEnvironment } from '@tieline/runtime/environment'
import { isHttpUrl } from '@tieline/runtime/installation-fields'
import { formatFields } from '../table.ts'
import { type Command, defineCommand, UsageError } from './command.ts'

/** Where each URL is entered: parameters of DERMS, message senders of DACS by their outbound message type. */
const enteredIn: Readonly<Record<InboundFlowId, string>> = {
  'enrollment-request': 'DERMS, parameter OIC_ENROLL_URL',
  'enrollment-sync': 'DACS, message sender of outbound message type X1-NMSDASMSG',
  'enrollment-sync-ack': 'DERMS, parameter OIC_ENROLL_ACK_URL',
  'device-status-check': 'DACS, message sender of outbound message type X1-CTRLDVCS',
  'device-status-ack': 'DERMS, parameter OIC_STATUS_ACK_URL',
  'event-reservation': 'DERMS, parameter OIC_RESERVE_DEVICE_URL',
  'stage-status': 'DERMS, parameter OIC_STAGE_STATUS_CHANGE_URL',
  'event-outcome': 'DERMS, parameter OIC_DEVICE_OUTCOME_DACS_URL',
}

/** The path under which the accelerator of release 24B is reached; the ingress takes any project and version. */
const oicRoot = '/ic/api/integration/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS'

const endpoints = defineCommand({
  name: 'endpoints',
  usage: '[--base <URL of the ingress>]',
  summary: 'The URLs to enter in DERMS and DACS. --base is the address that they reach the ingress at.',
  options: { base: { type: 'string' } },
  async run({ values, tools }) {
    const base = values.base ?? `http://localhost:${readEnvironment(tools.terminal.env).ingressPort}`
    if (!isHttpUrl(base)) throw new UsageError('--base takes an http or https address')
    tools.print(inboundFlowIds.map((flow) => formatEndpoint(flow, base.replace(/\/+$/, ''))).join('\n\n'))
  },
})

export function formatEndpoint(flow: InboundFlowId, base: string): string {
  const { code, title, paths, oicPaths } = flowSpec(flow)
  const [oic, chapter2] = oicPaths.map(({ processId, uri }) => `${base}${oicRoot}/${processId}/1.0${uri}`)
  return formatFields({
    flow: `${code} ${title}`,
    'enter in': enteredIn[flow],
    URL: `${base}${paths[0]}`,
    'or, as in OIC': oic,
    // The second URL that the guide has for some flows.
    'or, chapter 2': chapter2,
  })
}

export const endpointCommands: readonly Command[] = [endpoints]
