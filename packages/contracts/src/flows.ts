/**
 * The flow catalogue: what flows there are, where each comes in, and where it goes.
 * Plain data without behaviour; `identity.ts` says how a message of a flow is named, `replies.ts` how it is answered.
 */

/** Flows that another system starts through the ingress. */
export const inboundFlowIds = [
  'enrollment-request',
  'enrollment-sync',
  'enrollment-sync-ack',
  'device-status-check',
  'device-status-ack',
  'event-reservation',
  'stage-status',
  'event-outcome',
] as const

/** Flows that Tieline starts by itself. */
export const internalFlowIds = ['device-score', 'acknowledgment', 'notification'] as const

/** Flows whose message is a JSON part and a CSV file. */
export const fileFlowIds = ['event-reservation', 'event-outcome'] as const

export type InboundFlowId = (typeof inboundFlowIds)[number]
export type FileFlowId = (typeof fileFlowIds)[number]
export type FlowId = InboundFlowId | (typeof internalFlowIds)[number]

export type LookupName =
  | 'ConfigProps'
  | 'Email_ID'
  | 'EnrollmentStatus'
  | 'AssetSpec'
  | 'AssetType'
  | 'DeviceLocationStatus'
  | 'Routing'
  | 'EventType'
  | 'StageStatus'
  | 'EventOutcome'

/**
 * What a lookup miss means for the message:
 * `pass` keeps the value as it came, `rule` applies a rule of the flow's mapping, `error` is a business refusal
 * (MsgAck ERROR), `fault` the OIC fault of F2 and F4, `refuse` a 400 at the door, `row` leaves out the row of the file.
 */
export type LookupMiss = 'pass' | 'rule' | 'error' | 'fault' | 'refuse' | 'row'

export interface RetrySchedule {
  /** Keep trying for this long, counted from the first failure. */
  readonly retryForS: number
  readonly firstDelayMs: number
  readonly capDelayMs: number
  /**
   * Tell the administrators when a message has been failing for this long and is still tried. A 401 or 403 is told at once.
   * Absent: never, because mails about mails would never end.
   */
  readonly alarmAfterS?: number
}

/** A process name and URI under which installations reach the flow today (docs/wire-facts.md, Endpoints of the integration). */
export interface OicPath {
  readonly processId: string
  readonly uri: string
}

export interface FlowSpec {
  readonly id: FlowId
  /** The flow's number in the guide. */
  readonly code: string
  readonly title: string
  readonly caller: 'DERMS' | 'DACS' | 'Tieline'
  readonly target: 'DACS' | 'DERMS' | 'mail'
  /** The worker service that runs the flow. */
  readonly service: 'enrollment' | 'events' | 'device-score' | 'notifier'
  /** Name of the BullMQ queue: one per flow, so that a slow flow never takes another flow's slots. */
  readonly queue: string
  /** Canonical ingress paths, the primary one first. */
  readonly paths: readonly string[]
  readonly oicPaths: readonly OicPath[]
  /** `await`: the caller's request is held until the message settles. `accept`: 202 once it is durable. */
  readonly replyMode: 'await' | 'accept'
  readonly replyWithinS: number
  /** Shape of the reply and of refusals: the acknowledgment of DERMS, or `responseDetails.externalId` and the OIC fault. */
  readonly replyShape: 'msgAck' | 'externalId'
  /** A message that breaks its contract is refused at the door with 400, or accepted and answered by the worker. */
  readonly invalidInput: 'refuse' | 'answer'
  readonly retry: RetrySchedule
  /** Messages with the same value of this field run strictly one after another. */
  readonly line: 'stageId' | 'subscriptionId' | null
  /** Refuse a repeat that is older than a message of its line that the target has already answered. */
  readonly refuseOvertaken: boolean
  /**
   * Wait while the line of the same stage in this flow is open and the target has answered nothing of it. Only the first attempt
   * of a generation waits.
   */
  readonly follows?: 'stage-status'
  /** The message is a JSON part and a CSV file; so many rows of it go to the target in one call. */
  readonly segmentRows?: number
  /** Messages that one process works on at a time; 50 unless told. */
  readonly atOnce?: number
  readonly lookups: Partial<Readonly<Record<LookupName, LookupMiss>>>
}

const awaited = { replyMode: 'await', replyWithinS: 55 } as const
/**
 * For flows whose caller waits for something that must happen soon: the next status of a stage, the start of an event. Where
 * trying ends before, it is said for installations that try longer.
 */
const alarmSoon = { alarmAfterS: 60 } as const
/** For flows that nobody waits for. */
const alarmLater = { alarmAfterS: 900 } as const
const insideTheReply = { retryForS: 40, firstDelayMs: 1_000, capDelayMs: 10_000, ...alarmSoon } as const
const noLine = { line: null, refuseOvertaken: false } as const
const eventFile = {
  replyMode: 'accept',
  replyWithinS: 0,
  replyShape: 'msgAck',
  invalidInput: 'refuse',
  retry: { retryForS: 120, firstDelayMs: 2_000, capDelayMs: 30_000, ...alarmSoon },
  ...noLine,
  // A file makes as many calls at a time as its connection allows, so few files suffice, and their rows are in memory.
  atOnce: 4,
} as const

export const flows = {
  'enrollment-request': {
    id: 'enrollment-request',
    code: 'F1',
    title: 'Enrollment request',
    caller: 'DERMS',
    target: 'DACS',
    service: 'enrollment',
    queue: 'enrollment-request',
    paths: ['/derms/enroll-to-dacs'],
    oicPaths: [{ processId: 'OUTL-BA-DRMS_DACS_ENROLLRQ', uri: '/enroll-to-dacs' }],
    ...awaited,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    retry: { retryForS: 30, firstDelayMs: 1_000, capDelayMs: 10_000, ...alarmSoon },
    ...noLine,
    lookups: { Routing: 'error', EnrollmentStatus: 'rule', AssetSpec: 'pass', AssetType: 'pass' },
  },
  'enrollment-sync': {
    id: 'enrollment-sync',
    code: 'F2',
    title: 'Enrollment sync',
    caller: 'DACS',
    target: 'DERMS',
    service: 'enrollment',
    queue: 'enrollment-sync',
    paths: ['/dacs/enroll'],
    oicPaths: [{ processId: 'OUTL-BA-DACS_DRMS_ENROLL_SYNC', uri: '/enroll' }],
    ...awaited,
    replyShape: 'externalId',
    invalidInput: 'refuse',
    retry: insideTheReply,
    line: 'subscriptionId',
    refuseOvertaken: false,
    lookups: { Routing: 'fault', DeviceLocationStatus: 'fault' },
  },
  'enrollment-sync-ack': {
    id: 'enrollment-sync-ack',
    code: 'F3',
    title: 'Enrollment sync acknowledgment',
    caller: 'DERMS',
    target: 'DACS',
    service: 'enrollment',
    queue: 'enrollment-sync-ack',
    paths: ['/derms/sendEnrollAck'],
    oicPaths: [{ processId: 'OUTL-BA-DRMS_DACS_SYNC_ACK', uri: '/sendEnrollAck' }],
    replyMode: 'accept',
    replyWithinS: 0,
    replyShape: 'msgAck',
    invalidInput: 'refuse',
    retry: { retryForS: 21_600, firstDelayMs: 5_000, capDelayMs: 900_000, ...alarmLater },
    ...noLine,
    lookups: { Routing: 'error' },
  },
  'device-status-check': {
    id: 'device-status-check',
    code: 'F4',
    title: 'Device status check',
    caller: 'DACS',
    target: 'DERMS',
    service: 'enrollment',
    queue: 'device-status-check',
    paths: ['/dacs/deviceStatusCheck'],
    oicPaths: [{ processId: 'OUTL-BA-DACS_DRMS_DEVICE_STATUS', uri: '/deviceStatusCheck' }],
    ...awaited,
    replyShape: 'externalId',
    invalidInput: 'refuse',
    retry: insideTheReply,
    ...noLine,
    lookups: { Routing: 'fault' },
  },
  'device-status-ack': {
    id: 'device-status-ack',
    code: 'F5',
    title: 'Device status acknowledgment',
    caller: 'DERMS',
    target: 'DACS',
    service: 'enrollment',
    queue: 'device-status-ack',
    paths: ['/derms/status-check-ack-to-dacs'],
    oicPaths: [
      { processId: 'OUTL-BA-DRMS_DACS_DEV_STAT_ACK', uri: '/status-check-ack-to-dacs' },
      // The guide's chapter 2 names the process of F4.
      { processId: 'OUTL-BA-DACS_DRMS_DEVICE_STATUS', uri: '/status-check-ack-to-dacs' },
    ],
    ...awaited,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    retry: insideTheReply,
    ...noLine,
    lookups: { Routing: 'error' },
  },
  'event-reservation': {
    id: 'event-reservation',
    code: 'F6',
    title: 'Event device reservation',
    caller: 'DERMS',
    target: 'DACS',
    service: 'events',
    queue: 'event-reservation',
    paths: ['/derms/reserveDevice'],
    oicPaths: [{ processId: 'OUTL_BA_DRMS_DACS_EVT_DVCRESV', uri: '/reserveDevice' }],
    ...eventFile,
    follows: 'stage-status',
    segmentRows: 1_000,
    lookups: { Routing: 'refuse' },
  },
  'stage-status': {
    id: 'stage-status',
    code: 'F7',
    title: 'Program event (stage) status',
    caller: 'DERMS',
    target: 'DACS',
    service: 'events',
    queue: 'stage-status',
    paths: ['/derms/statusUpdate', '/derms/stage-status-to-dacs'],
    oicPaths: [
      { processId: 'OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD', uri: '/statusUpdate' },
      { processId: 'OUTL-BA-DRMS_DACS_STAGE_STAT_UPD', uri: '/stage-status-to-dacs' },
    ],
    ...awaited,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    retry: { retryForS: 21_600, firstDelayMs: 1_000, capDelayMs: 60_000, ...alarmSoon },
    line: 'stageId',
    refuseOvertaken: true,
    lookups: { Routing: 'error', StageStatus: 'error', EventType: 'error' },
  },
  'event-outcome': {
    id: 'event-outcome',
    code: 'F9',
    title: 'Event device outcome',
    caller: 'DERMS',
    target: 'DACS',
    service: 'events',
    queue: 'event-outcome',
    paths: ['/derms/eventOutcome'],
    oicPaths: [{ processId: 'OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR', uri: '/eventOutcome' }],
    ...eventFile,
    segmentRows: 200,
    lookups: { Routing: 'refuse', EventOutcome: 'row' },
  },
  // A message is a transfer, and each of its runs a generation: two runs of one transfer never overlap.
  'device-score': {
    id: 'device-score',
    code: 'F8',
    title: 'Device score transfer',
    caller: 'DACS',
    target: 'DERMS',
    service: 'device-score',
    queue: 'device-score',
    paths: [],
    oicPaths: [],
    replyMode: 'accept',
    replyWithinS: 0,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    // Two tries to reach the source; the next scheduled run is the third.
    retry: { retryForS: 3, firstDelayMs: 2_000, capDelayMs: 2_000, ...alarmLater },
    ...noLine,
    atOnce: 4,
    lookups: { ConfigProps: 'error' },
  },
  acknowledgment: {
    id: 'acknowledgment',
    code: 'ACK',
    title: 'Acknowledgment of an event file',
    caller: 'Tieline',
    target: 'DERMS',
    service: 'events',
    queue: 'acknowledgment',
    paths: [],
    oicPaths: [],
    replyMode: 'accept',
    replyWithinS: 0,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    retry: { retryForS: 86_400, firstDelayMs: 2_000, capDelayMs: 1_800_000, ...alarmLater },
    ...noLine,
    lookups: { Routing: 'error' },
  },
  notification: {
    id: 'notification',
    code: 'F10',
    title: 'E-mail notification',
    caller: 'Tieline',
    target: 'mail',
    service: 'notifier',
    queue: 'notification',
    paths: [],
    oicPaths: [],
    replyMode: 'accept',
    replyWithinS: 0,
    replyShape: 'msgAck',
    invalidInput: 'answer',
    retry: { retryForS: 86_400, firstDelayMs: 10_000, capDelayMs: 1_800_000 },
    ...noLine,
    lookups: { ConfigProps: 'rule', Email_ID: 'rule' },
  },
} as const satisfies { readonly [Id in FlowId]: FlowSpec & { readonly id: Id } }

export const flowIds = Object.keys(flows) as FlowId[]

/** The catalogue's entry of a flow, widened to the common type. */
export const flowSpec = (id: FlowId): FlowSpec => flows[id]

export const isFileFlow = (id: FlowId): id is FileFlowId => fileFlowIds.some((flow) => flow === id)

export const isFlowId = (value: string): value is FlowId => Object.hasOwn(flows, value)
