/**
 * What the journal keeps, on one page: the fields of a message's record, the keys of Redis, the states, and which script may move a
 * message from which state to which. The header of the Lua scripts, the types and the tables of ARCHITECTURE.md come from it.
 */

export const openStates = ['accepted', 'waiting', 'processing', 'retrying'] as const
export const settledStates = ['succeeded', 'refused', 'dead', 'resolved', 'discarded', 'superseded'] as const
export const states = [...openStates, ...settledStates] as const
/** Somebody has to look at it: its job stays in the failed set of its queue, and a retry of that job runs the message again. */
export const ticketStates = ['dead', 'refused'] as const

export type State = (typeof states)[number]

/**
 * How long a field lives. `identity`: as long as the message. `content`: until its payload changes. `generation`: until the next
 * generation begins. `run`: until its job is over. `attempt`: until the attempt ends. `operator`: what an operator said for the
 * generation that comes next.
 */
export type Scope = 'identity' | 'content' | 'generation' | 'run' | 'attempt' | 'operator'

export interface Field {
  readonly scope: Scope
  readonly holds: string
  /** The states in which it may be there, if not in all of them. */
  readonly only?: 'open' | 'settled' | 'processing'
  /** Each message has it, so the next generation writes it instead of removing it. */
  readonly always?: true
  /** The part of the journal that it belongs to, if not to the kernel. */
  readonly feature?: Feature
}

export type Feature = 'acknowledgments' | 'mail' | 'transfers' | 'files' | 'refusals'

/** Times are milliseconds since 1970, flags are `1`, and what is sealed is opened by `sealer.ts`. */
export const recordFields = {
  flow: { scope: 'identity', always: true, holds: 'id of its flow' },
  instance: { scope: 'identity', always: true, holds: 'instance of DERMS, or the client' },
  id: { scope: 'identity', always: true, holds: 'what its sender calls it' },
  client: { scope: 'identity', always: true, holds: 'name of the client that sent it first' },
  seq: { scope: 'identity', always: true, holds: 'order of first acceptance' },
  firstAcceptedAt: { scope: 'identity', always: true, holds: 'when it was seen first' },
  acknowledges: { scope: 'identity', feature: 'acknowledgments', holds: 'key of the file whose end it tells' },
  ranAt: { scope: 'identity', feature: 'transfers', holds: 'when the last run of the whole transfer began' },

  hash: { scope: 'content', always: true, holds: 'SHA-256 of the payload' },
  line: { scope: 'content', always: true, holds: 'its line, empty for none' },
  division: { scope: 'content', holds: 'routing key of DACS' },
  payloadRef: { scope: 'content', always: true, holds: 'reference of the payload outside the record, empty for none' },
  follows: { scope: 'content', holds: 'line of another flow that its first attempt waits for' },
  fileRef: { scope: 'content', feature: 'files', holds: 'reference of its file, empty when that is not kept any more' },
  fileName: { scope: 'content', feature: 'files', holds: 'name of its file' },
  fileBytes: { scope: 'content', feature: 'files', holds: 'size of its file' },
  fileSha256: { scope: 'content', feature: 'files', holds: 'SHA-256 of its file' },
  indexRef: { scope: 'content', feature: 'files', holds: 'reference of what the rows of its file are found by' },
  trace: { scope: 'content', holds: '`traceparent` of the request that brought it' },
  changed: { scope: 'content', holds: 'generation that brought the present payload, if not the first' },
  keptPins: { scope: 'content', holds: 'choices that ids of effects depend on, JSON; goes with the effects' },

  generation: { scope: 'generation', always: true, holds: 'number, from 1' },
  state: { scope: 'generation', always: true, holds: 'state' },
  stateAt: { scope: 'generation', always: true, holds: 'when it came into the state' },
  acceptedAt: { scope: 'generation', always: true, holds: 'when the generation was accepted' },
  run: { scope: 'generation', always: true, holds: 'id of the job that may wake it' },
  attempts: { scope: 'generation', always: true, holds: 'how many have begun' },
  failures: { scope: 'generation', always: true, holds: 'how many attempts failed' },
  // Written with the next generation: it may name the attempt of the one before.
  blockedBy: {
    scope: 'generation',
    always: true,
    holds: 'run of an attempt that must end first, or that an abort waits for',
  },
  failedSince: { scope: 'generation', holds: 'when the first attempt failed' },
  alarmed: { scope: 'generation', feature: 'mail', holds: 'people were told that it keeps failing' },
  denied: { scope: 'generation', feature: 'mail', holds: 'people were told that a login is refused' },
  code: { scope: 'generation', holds: 'why it, or its last attempt, failed' },
  endedBy: { scope: 'generation', holds: 'token of the attempt that ended last, in case its answer got lost' },
  pins: { scope: 'generation', holds: 'choices such as connections, JSON' },
  behind: { scope: 'generation', holds: 'it was noted that it waits for `follows`' },
  collect: { scope: 'generation', holds: 'why nobody waits for the reply: `provisional` or `hung-up`' },
  answered: { scope: 'generation', feature: 'acknowledgments', holds: 'F3 or F5 has come: no replay any more' },
  window: { scope: 'generation', feature: 'mail', holds: 'what became of an e-mail: `opened` or `joined`' },
  forced: { scope: 'generation', holds: 'it runs also if its line went on' },
  settledAt: { scope: 'generation', only: 'settled', holds: 'when the generation ended' },
  outcome: { scope: 'generation', only: 'settled', holds: 'what the sender was told' },
  reason: { scope: 'generation', only: 'settled', holds: 'why it did not succeed, sealed' },
  made: { scope: 'generation', only: 'settled', holds: 'failures that BullMQ had filed of its job' },
  rows: { scope: 'generation', only: 'settled', feature: 'files', holds: 'what became of the rows, JSON' },
  faults: {
    scope: 'generation',
    only: 'settled',
    feature: 'files',
    holds: 'the first rows that were left out, sealed',
  },
  files: { scope: 'generation', only: 'settled', feature: 'transfers', holds: 'what became of the files, JSON' },
  ack: {
    scope: 'generation',
    only: 'settled',
    feature: 'acknowledgments',
    holds: 'key of the message that tells its end',
  },
  acknowledgedAt: { scope: 'generation', only: 'settled', feature: 'acknowledgments', holds: 'when DERMS took that' },

  started: { scope: 'run', only: 'open', holds: 'how often BullMQ had started the job when it was taken' },
  nextAt: { scope: 'run', only: 'open', holds: 'when the next attempt comes' },

  token: { scope: 'attempt', only: 'processing', holds: 'fencing token: only who shows it may write' },

  resubmitter: { scope: 'operator', holds: 'who is about to retry the job of the message' },
} as const satisfies Record<string, Field>

export type FieldName = keyof typeof recordFields

/** What a record looks like when all of it is read. */
export type MessageRecord = Readonly<Partial<Record<FieldName, string>>>

export const fieldsOf = (...scopes: readonly Scope[]): FieldName[] =>
  (Object.entries(recordFields) as [FieldName, Field][])
    .filter(([, { scope, always }]) => scopes.includes(scope) && !(scope === 'generation' && always))
    .map(([name]) => name)

/** How an effect is stored: the values in this order, what is missing at the end left out. */
export const effectFields = [
  'state',
  'tries',
  'repeats',
  'unknown',
  'generation',
  'at',
  'operation',
  'connection',
  'status',
  'code',
  'ms',
  'result',
  'call',
] as const

export interface Key {
  /** Below `{<installation>}:journal`; what stands in angle brackets is an argument. */
  readonly pattern: string
  readonly type: 'hash' | 'string' | 'list' | 'zset' | 'set' | 'stream' | 'channel'
  readonly holds: string
  readonly until: string
  readonly feature: Feature | undefined
}

const key = (pattern: string, type: Key['type'], holds: string, until: string, feature?: Feature): Key => ({
  pattern,
  type,
  holds,
  until,
  feature,
})

const asRecord = 'as long as its record'

export const keys: Readonly<Record<string, Key>> = {
  record: key('m:<key>', 'hash', 'the record of a message', '`messagesDays` after its end'),
  payload: key('p:<key>', 'string', 'its payload up to 4 MiB, sealed', '`payloadHours` after a success'),
  effects: key('e:<key>', 'hash', 'its effects by their ids, see `effects.ts`', asRecord),
  timeline: key('t:<key>', 'list', 'its time line, JSON; what the record implies is left out', asRecord),
  reply: key(
    'y:<key>',
    'string',
    'the reply of its generation, sealed',
    '`replayHours` after its end, or the next generation',
  ),
  terms: key('n:<key>', 'string', 'the terms it is found by, MessagePack', asRecord),
  state: key('s:<flow>:<state>', 'zset', 'messages by `stateAt`', 'each: as long as it is in the state'),
  openSince: key('o:<flow>', 'zset', 'open messages by `acceptedAt`', 'each: until its end'),
  open: key('open', 'zset', 'open messages by when the sweeper looks for their jobs', 'each: until its end'),
  term: key('i:<term>', 'hash', 'messages that carry a term, without values', 'each: as long as its record'),
  line: key('l:<line>', 'zset', 'open messages of a line: its holder at 0, the others by `seq`', 'each: until its end'),
  answered: key('a:<line>', 'string', '`seq` of the last message of a line that its target answered', '`messagesDays`'),
  seq: key('seq', 'string', 'how many messages there were', 'for ever'),
  workers: key('workers', 'hash', 'when a worker of a flow gave its last sign', 'for ever'),
  withdrawn: key('withdrawn', 'set', '`<flow> <run>` of jobs that are to go', 'each: until it went'),
  uncollected: key(
    'uncollected',
    'zset',
    'bad ends that nobody has heard of, by when people are told',
    'each: until then',
  ),
  spent: key('spent', 'zset', 'messages that succeeded and still have a payload', 'each: as its payload'),
  audit: key('audit', 'stream', 'what operators did', '`auditDays`'),
  news: key('news', 'channel', 'how messages ended, with their sealed replies', ''),
  sweeper: key('sweeper', 'string', 'lock of the sweeper', 'one round'),
  pending: key(
    'pending',
    'zset',
    'stored payloads that no record holds, by when that was told',
    'each: an hour',
    'files',
  ),
  stored: key('b:<reference>', 'string', 'a file up to 4 MiB, sealed', 'as the payload', 'files'),
  recorded: key('r:<key>', 'hash', 'what a run recorded, sealed', 'the next generation', 'transfers'),
  paused: key('paused', 'hash', 'schedules that an operator stopped', 'somebody resumes them', 'transfers'),
  missed: key('missed', 'hash', 'how many runs were late', 'for ever', 'transfers'),
  once: key('once:<name>', 'string', 'that something was told', 'as whoever told it wished', 'mail'),
  windows: key('windows', 'zset', 'windows of e-mails by when they close', 'each: until then', 'mail'),
  window: key('w:<window>', 'hash', 'a window: since when, how many', 'it closes', 'mail'),
  joined: key('j:<window>', 'list', 'what the digest of a window names, sealed', 'it closes', 'mail'),
  down: key(
    'down',
    'hash',
    'connections that an e-mail told to be down, and since when',
    'each: until it works',
    'mail',
  ),
  recovering: key(
    'recovering',
    'zset',
    'those of them that have answered, and since when',
    'each: until that is told',
    'mail',
  ),
  refused: key('d:<flow>', 'zset', 'refusals at the door by their time', 'each: 7 days, 1,000 a flow', 'refusals'),
  unseen: key('d:<flow>:unseen', 'zset', 'those that nobody has discarded', 'the same', 'refusals'),
  withBody: key('d:<flow>:bodies', 'zset', 'those whose bodies are kept', 'the same, 4 MiB a flow', 'refusals'),
  bodyBytes: key('d:bytes', 'hash', 'how large the bodies of a flow are', 'for ever', 'refusals'),
  refusal: key('dr:<id>', 'hash', 'a refusal', 'the same', 'refusals'),
  refusalBody: key('db:<id>', 'string', 'how its body began, sealed', 'the same, 4 MiB a flow', 'refusals'),
}

/** Every script and the part of the journal that it belongs to: its file is `<part>/lua/<name>.lua`. */
export const scripts = {
  accept: 'kernel',
  take: 'kernel',
  begin: 'kernel',
  outcome: 'kernel',
  settle: 'kernel',
  retry: 'kernel',
  yield: 'kernel',
  revive: 'kernel',
  restamp: 'kernel',
  rerun: 'kernel',
  discard: 'kernel',
  abort: 'kernel',
  collect: 'kernel',
  trim: 'kernel',
  note: 'kernel',
  'start-run': 'transfers',
  record: 'transfers',
  forget: 'transfers',
  pause: 'transfers',
  'keep-index': 'files',
  'join-window': 'mail',
  'close-window': 'mail',
  notify: 'mail',
  reached: 'mail',
  recover: 'mail',
  refuse: 'refusals',
  dismiss: 'refusals',
} as const satisfies Record<string, Feature | 'kernel'>

export type ScriptName = keyof typeof scripts

/** `nothing`: there is no record. */
export type Place = State | 'nothing'

export interface Transition {
  readonly by: readonly ScriptName[]
  readonly from: readonly Place[]
  readonly to: readonly Place[]
  readonly when: string
  /** The scopes of fields that begin anew. */
  readonly resets?: readonly Scope[]
  /** What others get to know in the same step. */
  readonly emits?: readonly ('news' | 'due messages' | 'audit')[]
  /** It happens to a message that the script is not about: another one of the line, an acknowledgment, one that becomes due. */
  readonly other?: true
}

const move = (
  by: Transition['by'],
  from: Transition['from'],
  to: Transition['to'],
  when: string,
  more: Pick<Transition, 'resets' | 'emits' | 'other'> = {},
): Transition => ({ by, from, to, when, ...more })

const other = true
const anew = ['generation', 'run', 'attempt', 'operator'] as const
const makesDue = [
  'settle',
  'retry',
  'abort',
  'collect',
  'record',
  'close-window',
  'notify',
  'recover',
  'refuse',
] as const
const beginsAnew = ['accept', 'take', 'rerun', 'start-run'] as const

/** Whatever is not listed here does not happen. A new generation in the same state is a transition; a new run or a new time is none. */
export const transitions: readonly Transition[] = [
  move(['accept'], ['nothing'], ['accepted', 'waiting'], 'seen first; `waiting` if its line is taken'),
  move(['accept'], settledStates, ['accepted', 'waiting'], 'sent again, and there is no result to tell', {
    resets: anew,
    emits: ['news'],
  }),
  move(
    ['accept'],
    openStates,
    ['accepted', 'waiting'],
    'sent with other content; it waits for an attempt that is going on',
    { resets: ['content', ...anew], emits: ['news'] },
  ),
  move(['start-run'], ['nothing', ...settledStates], ['accepted'], 'a run of a transfer begins', { resets: anew }),
  move(['take'], ['accepted', 'retrying', 'processing'], ['processing'], 'a worker begins an attempt'),
  move(
    ['take'],
    ticketStates,
    ['processing', 'accepted', 'waiting'],
    'somebody retried its job; `accepted` if it follows a line, `waiting` if its own is taken',
    { resets: anew, emits: ['audit'] },
  ),
  move(['settle'], ['processing'], ['succeeded', 'refused', 'dead', 'superseded'], 'the generation ends', {
    resets: ['run', 'attempt'],
    emits: ['news', 'due messages'],
  }),
  move(
    ['retry'],
    ['processing'],
    ['retrying', 'waiting'],
    'the attempt failed or was postponed; `waiting` if an earlier one of the line goes first',
    { resets: ['attempt'], emits: ['due messages'] },
  ),
  move(['yield', 'take', 'revive'], ['waiting'], ['accepted'], 'what it waited for is over'),
  move(['rerun'], settledStates, ['accepted', 'waiting'], 'an operator runs it again', {
    resets: anew,
    emits: ['audit'],
  }),
  move(['discard'], ticketStates, ['discarded'], 'an operator gives it up', { emits: ['audit'] }),
  move(['abort'], openStates, ['discarded'], 'an operator ends it', {
    resets: ['run', 'attempt'],
    emits: ['news', 'due messages', 'audit'],
  }),
  move(['trim'], settledStates, ['nothing'], 'its time is over'),
  move(
    ['settle', 'retry', 'yield', 'take', 'revive', 'abort', 'accept'],
    ['waiting'],
    ['accepted'],
    'the one before it in the line left it, or let it go first',
    { other },
  ),
  move(
    [...beginsAnew, 'revive'],
    ['accepted', 'retrying'],
    ['waiting'],
    'it steps back for an earlier one of its line',
    { resets: ['run'], other },
  ),
  move(beginsAnew, openStates, ['superseded'], 'it is the acknowledgment of a generation before', {
    resets: ['run', 'attempt'],
    other,
  }),
  move(beginsAnew, ['dead'], ['resolved'], 'the same, and it was given up', { other }),
  move(['accept'], settledStates, ['accepted'], 'it is the acknowledgment of a file that was repeated', {
    resets: anew,
    other,
  }),
  move(makesDue, ['nothing'], ['accepted'], 'an e-mail or an acknowledgment becomes due', { other }),
]
