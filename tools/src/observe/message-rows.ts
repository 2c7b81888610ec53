import type { Row } from './panels.ts'
import { count, graph, installation, p95, rate, stat } from './queries.ts'

/** How messages fare, from the most to the least urgent. */
export const messageRows: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      stat(
        'Alerts',
        'none',
        count('ALERTS{alertname=~"Tieline.+", alertstate="firing"}'),
        [1, 1],
        'Alerts that fire. Prometheus lists them under /alerts; each names its section of docs/runbook.md.',
      ),
      stat(
        'Ingresses refusing',
        'none',
        count('tieline_ingress_accepting == 0'),
        [1, 1],
        'They answer 503, because Redis is away or nearly full.',
      ),
      stat(
        'Processes down',
        'none',
        count('up{job="tieline"} == 0'),
        [1, 1],
        'Processes that Prometheus does not reach.',
      ),
      stat(
        'Flows without worker',
        'none',
        count(`time() - ${installation('tieline_worker_seen_timestamp_seconds', 'flow')} > 60`),
        [1, 1],
        'Their messages wait, and their callers are told to come again.',
      ),
      stat(
        'Open messages',
        'short',
        `sum(${installation('tieline_open_messages', 'flow, state')})`,
        [500, 5000],
        'Accepted and not settled, e-mails included.',
      ),
      stat(
        'Oldest open',
        's',
        'max(tieline_oldest_open_message_age_seconds)',
        [900, 3600],
        'How long the oldest message has been open. Minutes are usual while a far side is down.',
      ),
      stat(
        'Dead letters',
        'short',
        `sum(${installation('tieline_dead_letters', 'flow')})`,
        [1, 50],
        'They wait for somebody: tieline dead list.',
      ),
      stat(
        'Redis memory',
        'percentunit',
        'max(tieline_redis_memory_used_bytes) / max(tieline_redis_memory_limit_bytes > 0)',
        [0.7, 0.8],
        'At 80 % messages are refused, at 100 % nothing is written. –: no limit is set.',
      ),
    ],
  },
  {
    title: 'Traffic',
    panels: [
      graph(
        'Accepted, by flow',
        'reqps',
        { '{{flow}}': rate('tieline_messages_accepted_total', 'flow') },
        'Messages that the ingress took, repeats included.',
      ),
      graph(
        'Accepted, by kind',
        'reqps',
        { '{{kind}}': rate('tieline_messages_accepted_total', 'kind') },
        'attached and replayed are repeats that cause no work: many of them mean that senders do not get their answers.',
      ),
      graph(
        'Settled, by outcome',
        'reqps',
        { '{{outcome}}': rate('tieline_messages_settled_total', 'outcome') },
        'What senders were told. ERROR: bad data or refused. FAILURE: technical.',
      ),
      graph(
        'Time to reply (95 %)',
        's',
        { '{{flow}}': p95('tieline_ingress_reply_seconds', 'flow') },
        'From the request to its answer; of flows that wait for the result, the whole time.',
      ),
    ],
  },
  {
    title: 'Failures',
    panels: [
      graph(
        'Refused at the door, by code',
        'reqps',
        { '{{code}}': rate('tieline_ingress_refusals_total', 'code') },
        'store-unavailable and overloaded are ours, all others lie with the caller: tieline refusals list.',
      ),
      graph(
        'Attempts that failed, by code',
        'reqps',
        { '{{code}}': rate('tieline_message_attempts_total{code!="none"}', 'code') },
        'The codes are explained in docs/failures.md.',
      ),
      graph(
        'Ended badly, by flow and state',
        'reqps',
        { '{{flow}} {{state}}': rate('tieline_messages_settled_total{state!="succeeded"}', 'flow, state') },
        'dead: resubmit or discard. refused: somebody has to mend data.',
      ),
      graph(
        'Dead letters, by flow',
        'short',
        { '{{flow}}': installation('tieline_dead_letters', 'flow') },
        'Not yet resubmitted, discarded or sent again.',
      ),
    ],
  },
  {
    title: 'Backlog',
    panels: [
      graph(
        'Open, by flow',
        'short',
        { '{{flow}}': `sum by (flow) (${installation('tieline_open_messages', 'flow, state')})` },
        'Rises when messages come faster than they are done.',
      ),
      graph(
        'Open, by state',
        'short',
        { '{{state}}': `sum by (state) (${installation('tieline_open_messages', 'flow, state')})` },
        'accepted: no worker has it yet. waiting: behind another one of its line. retrying: failed, and tried again later.',
      ),
      graph(
        'Oldest open, by flow',
        's',
        { '{{flow}}': installation('tieline_oldest_open_message_age_seconds', 'flow') },
        'Since the oldest message that is not settled was accepted.',
      ),
      graph(
        'Accepted to settled (95 %)',
        's',
        { '{{flow}}': p95('tieline_message_duration_seconds', 'flow') },
        'How long messages take that settle now.',
      ),
    ],
  },
]
