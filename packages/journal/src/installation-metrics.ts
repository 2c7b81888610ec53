import { Counter, Gauge, type Registry } from 'prom-client'
import { type InstallationFacts, readInstallation } from './installation-facts.ts'
import type { Journal } from './journal.ts'
import { openStates } from './schema.ts'
import { isOpen, type Schedule } from './transfers/schedules.ts'

interface Options {
  /** Undefined while it is not open yet. */
  readonly journal: () => Journal | undefined
  /** The transfers of the installation file. */
  readonly transfers: () => readonly Schedule[]
}

/**
 * What holds for the whole installation, read from the journal when somebody asks. Every process with a journal says the same,
 * so that it is known as long as one of them is there: take the maximum over processes, never the sum.
 */
export function registerInstallationMetrics(register: Registry, { journal, transfers }: Options): void {
  const read = sharedReading(async () => {
    const opened = journal()
    if (opened?.redis.status !== 'ready') return undefined
    return readInstallation(opened, transfers()).catch((error: unknown) => {
      // The connection itself tells of an outage.
      if (opened.redis.status === 'ready') opened.logger.warn({ err: error }, 'Could not read the journal for metrics')
      return undefined
    })
  })
  const registers = [register]
  new Gauge({
    name: 'tieline_journal_up',
    help: '1: this process reads the journal in Redis, 0: it does not.',
    registers,
    async collect() {
      this.set((await read()) === undefined ? 0 : 1)
    },
  })
  for (const { name, help, labels = [], values } of measured) {
    const samples = async () => {
      const facts = await read()
      return facts === undefined ? [] : values(facts)
    }
    const options = { name, help, labelNames: [...labels], registers }
    if (name.endsWith('_total')) {
      new Counter({
        ...options,
        async collect() {
          const known = await samples()
          this.reset()
          for (const [labelled, value] of known) this.inc(labelled, value)
        },
      })
    } else {
      new Gauge({
        ...options,
        async collect() {
          const known = await samples()
          this.reset()
          // Without labels a gauge that was reset says 0.
          if (labels.length === 0) this.remove()
          for (const [labelled, value] of known) this.set(labelled, value)
        },
      })
    }
  }
}

/** Shorter than the time that Prometheus waits. */
const readMsMax = 2_000
/** All metrics of one look come from one reading. */
const freshMs = 500

function sharedReading<T>(read: () => Promise<T | undefined>): () => Promise<T | undefined> {
  let reading: Promise<T | undefined> = Promise.resolve(undefined)
  let freshUntil = 0
  return () => {
    if (performance.now() < freshUntil) return reading
    freshUntil = performance.now() + freshMs
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const bound = setTimeout(resolve, readMsMax, undefined)
    reading = Promise.race([read(), late]).finally(() => clearTimeout(bound))
    return reading
  }
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

interface Measured {
  readonly name: `tieline_${string}`
  readonly help: string
  readonly labels?: readonly string[]
  readonly values: (facts: InstallationFacts) => readonly Sample[]
}

const yes = (is: boolean) => (is ? 1 : 0)

const measured: readonly Measured[] = [
  {
    name: 'tieline_open_messages',
    help: 'Messages that are not settled, by flow and state.',
    labels: ['flow', 'state'],
    values: ({ flows }) =>
      flows.flatMap(({ flow, counts }) => openStates.map((state) => [{ flow, state }, counts[state]] as const)),
  },
  {
    name: 'tieline_oldest_open_message_age_seconds',
    help: 'Time since the oldest message of the flow that is not settled was accepted; 0: there is none.',
    labels: ['flow'],
    values: ({ flows, nowMs }) =>
      flows.map(({ flow, oldestOpenAt = nowMs }) => [{ flow }, Math.max(0, nowMs - oldestOpenAt) / 1_000]),
  },
  {
    name: 'tieline_dead_letters',
    help: 'Dead letters that nobody has resubmitted or discarded, by flow.',
    labels: ['flow'],
    values: ({ flows }) => flows.map(({ flow, counts }) => [{ flow }, counts.dead]),
  },
  {
    name: 'tieline_flow_paused',
    help: '1: the queue of the flow is paused in the console.',
    labels: ['flow'],
    values: ({ flows }) => flows.map(({ flow, paused }) => [{ flow }, yes(paused)]),
  },
  {
    name: 'tieline_worker_seen_timestamp_seconds',
    help: 'When a worker of the flow last gave a sign, every 5 s while one runs; 0: never. Without transfers device-score needs none.',
    labels: ['flow'],
    values: ({ flows, transfers }) =>
      flows
        .filter(({ flow }) => flow !== 'device-score' || transfers.length > 0)
        .map(({ flow, workerSeenAt = 0 }) => [{ flow }, workerSeenAt / 1_000]),
  },
  {
    name: 'tieline_mails_joined',
    help: 'E-mails that were joined and wait for the digest of their kind.',
    values: ({ joinedMails }) => [[{}, joinedMails]],
  },
  {
    name: 'tieline_transfer_next_run_timestamp_seconds',
    help: 'When the next run of a score transfer is due; in the past while it is late. Absent while it is paused.',
    labels: ['transfer'],
    values: ({ transfers }) =>
      transfers.flatMap(({ name, nextAt }) =>
        nextAt === undefined ? [] : [[{ transfer: name }, nextAt / 1_000] as const],
      ),
  },
  {
    name: 'tieline_transfer_paused',
    help: '1: an operator paused the schedule of the score transfer.',
    labels: ['transfer'],
    values: ({ transfers }) => transfers.map(({ name, state }) => [{ transfer: name }, yes(state === 'paused')]),
  },
  {
    name: 'tieline_transfer_running',
    help: '1: a run of the score transfer is going on.',
    labels: ['transfer'],
    values: ({ transfers }) =>
      transfers.map(({ name, lastRun }) => [{ transfer: name }, yes(lastRun !== undefined && isOpen(lastRun.state))]),
  },
  {
    name: 'tieline_transfer_last_run_timestamp_seconds',
    help: 'When the last run of a score transfer ended. Absent while one is going on.',
    labels: ['transfer'],
    values: (facts) => endedRuns(facts).map(({ name, run }) => [{ transfer: name }, run.at / 1_000]),
  },
  {
    name: 'tieline_transfer_last_run_success',
    help: '1: the last run of a score transfer succeeded, 0: it did not. Absent while one is going on.',
    labels: ['transfer'],
    values: (facts) => endedRuns(facts).map(({ name, run }) => [{ transfer: name }, yes(run.state === 'succeeded')]),
  },
  {
    name: 'tieline_transfer_runs_missed_total',
    help: 'Runs of score transfers that did not begin within two minutes of their time.',
    labels: ['transfer'],
    values: ({ transfers }) => transfers.map(({ name, missed }) => [{ transfer: name }, missed]),
  },
  {
    name: 'tieline_redis_memory_used_bytes',
    help: 'Memory that Redis uses; of a cluster, that of the fullest master.',
    values: ({ memory }) => [[{}, memory.usedBytes]],
  },
  {
    name: 'tieline_redis_memory_limit_bytes',
    help: 'Memory that Redis may use; 0: no limit is set.',
    values: ({ memory }) => [[{}, memory.maxBytes]],
  },
]

const endedRuns = ({ transfers }: InstallationFacts) =>
  transfers.flatMap(({ name, lastRun }) => (lastRun && !isOpen(lastRun.state) ? [{ name, run: lastRun }] : []))
