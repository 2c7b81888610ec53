import type { Row } from './panels.ts'
import { graph, installation, p95, rate, table } from './queries.ts'

const calls = 'tieline_target_call_duration_seconds'

/** How far sides, files, e-mails and processes fare. */
export const surroundingsRows: readonly Row[] = [
  {
    title: 'Targets',
    panels: [
      graph(
        'Calls, by connection and status',
        'reqps',
        { '{{connection}} {{status}}': rate(`${calls}_count`, 'connection, status') },
        'The HTTP status, or a code when there was no answer.',
      ),
      graph(
        'Calls that fail',
        'percentunit',
        {
          '{{connection}}': `${rate(`${calls}_count{status!~"2..|400"}`, 'connection')} / ${rate(`${calls}_count`, 'connection')}`,
        },
        'Share of calls that met neither success nor a 400.',
      ),
      graph(
        'Duration (95 %)',
        's',
        { '{{connection}} {{operation}}': p95(calls, 'connection, operation') },
        'Near the timeoutMs of the connection calls begin to fail.',
      ),
      graph(
        'Unknown outcomes, and repeats',
        'reqps',
        {
          'unknown {{connection}}': rate('tieline_effects_total{state="unknown"}', 'connection'),
          'repeated {{connection}}': rate('tieline_effect_repeats_total', 'connection'),
        },
        'Calls of which nobody knows whether they were applied, and calls made again because of that.',
      ),
    ],
  },
  {
    title: 'Files',
    panels: [
      graph(
        'Rows of event files',
        'short',
        { '{{flow}} {{result}}': rate('tieline_file_rows_total', 'flow, result') },
        'Per second, when files end. Anything but confirmed is told to DERMS.',
      ),
      graph(
        'Acknowledged after (95 %)',
        's',
        { '{{flow}}': p95('tieline_acknowledgment_lag_seconds', 'flow') },
        'From accepting an event file until DERMS has taken its acknowledgment.',
      ),
      graph(
        'Score files',
        'short',
        {
          '{{transfer}} {{result}}':
            'sum by (transfer, result) (increase(tieline_transfer_files_total[$__rate_interval]))',
        },
        'failed ones bear the error prefix, and are not sent again by themselves.',
      ),
      graph(
        'Bytes of score files',
        'Bps',
        { '{{transfer}}': rate('tieline_transfer_file_bytes_total', 'transfer') },
        'What DERMS took.',
      ),
      table(
        'Next run',
        'dateTimeAsIso',
        { next: `${installation('tieline_transfer_next_run_timestamp_seconds', 'transfer')} * 1000` },
        'A time in the past: the run is late. A transfer that is missing here is paused or not scheduled.',
      ),
      table(
        'Last run: 1 succeeded, 0 did not',
        'none',
        { success: installation('tieline_transfer_last_run_success', 'transfer') },
        'tieline schedules list tells more.',
      ),
      graph(
        'Runs missed, in an hour',
        'short',
        { '{{transfer}}': 'max by (transfer) (increase(tieline_transfer_runs_missed_total[1h]))' },
        'Runs that did not begin within two minutes of their time: no device-score was running, or Redis was away.',
      ),
    ],
  },
  {
    title: 'E-mails',
    panels: [
      graph(
        'By result',
        'short',
        { '{{result}}': 'sum by (result) (increase(tieline_mails_total[$__rate_interval]))' },
        'refused: the mail server does not take them. dropped: switched off, or nobody to tell.',
      ),
      graph(
        'Not yet sent',
        'short',
        { '{{state}}': installation('tieline_open_messages{flow="notification"}', 'state') },
        'They are tried for a day.',
      ),
      graph(
        'Waiting for a digest',
        'short',
        { joined: 'max(tieline_mails_joined)' },
        'Failures of a kind that was told of already.',
      ),
      graph(
        'Oldest not sent',
        's',
        { oldest: 'max(tieline_oldest_open_message_age_seconds{flow="notification"})' },
        'While the mail server is away this rises.',
      ),
    ],
  },
  {
    title: 'Processes',
    panels: [
      graph(
        'Up',
        'short',
        { '{{service}}': 'sum by (service) (up{job="tieline"})' },
        'Processes of each service that Prometheus reaches.',
      ),
      graph(
        'Memory',
        'bytes',
        { '{{service}} {{instance}}': 'process_resident_memory_bytes{job="tieline"}' },
        'Flat, also while large files pass.',
      ),
      graph(
        'CPU',
        'percentunit',
        { '{{service}} {{instance}}': 'rate(process_cpu_seconds_total{job="tieline"}[$__rate_interval])' },
        '100 %: one core. A process uses hardly more than one.',
      ),
      graph(
        'Event loop lag (99 %)',
        's',
        { '{{service}} {{instance}}': 'nodejs_eventloop_lag_p99_seconds{job="tieline"}' },
        'Above a tenth of a second the process is too busy to answer in time.',
      ),
      graph(
        'Certificates end in',
        's',
        {
          '{{name}} ({{kind}})': 'min by (kind, name) (tieline_certificate_expiry_timestamp_seconds) - time()',
        },
        'Of ours and of targets. Renew what comes near to 7 days.',
      ),
      graph(
        'Reads the journal',
        'bool_yes_no',
        { '{{service}} {{instance}}': 'tieline_journal_up' },
        'No: the process does not reach Redis.',
      ),
      graph(
        'Version of the lookups',
        'none',
        { '{{service}} {{instance}}': 'tieline_lookup_version' },
        'The same everywhere within two seconds of a change.',
      ),
      table(
        'Builds',
        'none',
        { processes: 'count by (service, version, node) (tieline_build_info)' },
        'Two versions of Tieline at a time are usual only while it is upgraded.',
      ),
    ],
  },
]
