/**
 * Every failure code an operator, an e-mail or a problem document can show, with what it means and what to do.
 * `docs/failures.md` is generated from this table.
 */

interface Failure {
  readonly meaning: string
  readonly next: string
}

export const failures = {
  'contract-violation': {
    meaning: 'The message breaks its contract: a field is missing, too long, or has a value that is not allowed.',
    next: 'The named paths say which fields. Correct them at the sender, or say in `compat` of the installation file that they are right, and send again; what breaks its contract is not sent to the target.',
  },
  'lookup-missing': {
    meaning: 'A lookup has no row for a value of the message.',
    next: 'Add the row (`tieline lookups set`), then send the message again or rerun it.',
  },
  'routing-missing': {
    meaning: 'No connection could be chosen: the Routing lookup has no row, and there is not exactly one connection.',
    next: 'Add the row to Routing, then send the message again or rerun it.',
  },
  'target-refused': {
    meaning: 'The target answered 400: a business refusal. It is not repeated automatically.',
    next: 'Mend the data or the settings of the target. Its own words are in what the sender was told, and with `mail.details` in e-mails; they may hold personal data.',
  },
  'target-unauthorized': {
    meaning: 'The target answered 401, also after a new token was fetched; or a file server refused the login.',
    next: 'Check user, password or client secret of the connection (`tieline connections test`). The connection pauses for a minute between probes, so that no account is locked.',
  },
  'target-forbidden': {
    meaning: 'The target answered 403, or a file server denied access: the credentials are known but lack the right.',
    next: "Check the user's rights at the target. The connection pauses for a minute between probes.",
  },
  'target-not-found': {
    meaning:
      'The target answered 404: the URL is wrong or the service is not deployed. At a file source: there is no such directory or bucket.',
    next: 'Check `baseUrl` and `paths` of the connection (`tieline connections test`), or the directory or bucket.',
  },
  'target-throttled': {
    meaning: 'The target answered 429: too many calls.',
    next: 'Lower `concurrency` of the connection if it happens often.',
  },
  'target-error': {
    meaning:
      'The target answered with a status that is neither success nor a business refusal, such as 500 or 503. Whether the call was applied is not known.',
    next: 'Look at the target.',
  },
  'target-unreachable': {
    meaning:
      'No connection to the target: the name did not resolve, nothing listened, or TLS was refused. The call was certainly not applied.',
    next: 'Check the network, the certificate and the target (`tieline connections test`).',
  },
  'target-timeout': {
    meaning: 'The target did not answer in time. Whether the call was applied is not known.',
    next: 'Look at the target. If it is only slow, raise `timeoutMs` of the connection.',
  },
  'target-reset': {
    meaning: 'The connection broke during the call. Whether the call was applied is not known.',
    next: 'Look at the network and the target.',
  },
  'target-answer-invalid': {
    meaning:
      'The target answered with success, but its body could not be read: too large, or not what its contract says.',
    next: 'Look at the target or at a proxy between; the call was probably applied.',
  },
  'host-key-mismatch': {
    meaning:
      'The SFTP server presented another host key than the configured one. It may be another server. No password or key was sent, and it is not tried again automatically.',
    next: 'Ask whoever runs the server, by another way, whether the named fingerprint is theirs. Only then write it into `hostKey` of the connection.',
  },
  'connection-down': {
    meaning:
      'Calls on a connection fail, whatever they carry: nothing answers, our login is refused, or something before the target answers for it.',
    next: 'See what `tieline connections test` says, and mend the target, the network or the login.',
  },
  'connection-paused': {
    meaning: 'The connection is paused after a 401 or 403; the call was not made.',
    next: 'Mend the credentials; the next probe follows within a minute.',
  },
  'outcome-unknown': {
    meaning:
      'The target refused a repeat of a call whose first outcome is unknown, so nobody can tell whether it was applied.',
    next: 'Look at the target. Then rerun the message from the start, or discard it with a reason.',
  },
  superseded: {
    meaning:
      'A newer message took the place of this one: a later payload with the same id, or a later stage status that the target has already answered.',
    next: 'Nothing, unless the older message was the right one; then `tieline messages rerun <key> --force`, or send it again under a new id.',
  },
  aborted: {
    meaning: 'An operator ended the message before it was done. Its sender is answered ERROR.',
    next: 'Nothing; `tieline audit list` says who and why. `tieline messages rerun` runs it after all: only what is not confirmed.',
  },
  'in-progress': {
    meaning: 'The message is accepted and still being worked on; the caller was told so provisionally.',
    next: 'The sender repeats the message and collects the result.',
  },
  'reply-uncollected': {
    meaning: 'The caller hung up, or did not come back for the result, and the result was not success.',
    next: 'Look at the message and tell the sender.',
  },
  'payload-trimmed': {
    meaning: 'The payload is no longer kept, so the message cannot run again.',
    next: 'Have the sender send it again.',
  },
  'still-failing': {
    meaning: 'A message has been failing for a while and is still being tried.',
    next: 'Look at the named connection.',
  },
  'file-unreadable': {
    meaning:
      'The file of the message cannot be read: it is empty, has no rows or lacks a column, or a row of it is broken. Nothing was posted.',
    next: 'Correct the file at the sender.',
  },
  'file-changed': {
    meaning:
      'A file at its source is no longer what was listed: it was written to, replaced or taken away. What was read of it does not count.',
    next: 'Nothing, unless it comes again: then something goes on writing to the file, or two installations take the same files.',
  },
  'file-name-refused': {
    meaning:
      'The name of a file at its source cannot be used: it holds a slash, a backslash, `..` or a control character, or is too long; or the file is a link that leads out of its directory. The file was left alone.',
    next: 'Give the file another name, or put the file itself where the link is.',
  },
  'file-missing': {
    meaning: 'There is no such file at its source, neither under its own name nor with the error prefix.',
    next: 'Look at the source; names are compared letter by letter.',
  },
  'files-not-transferred': {
    meaning:
      'Files of a transfer did not reach DERMS. They bear the error prefix now, or their names cannot be used; there is an e-mail about each.',
    next: 'Mend the cause, then `tieline schedules retry-file` sends one again. Nothing sends it by itself.',
  },
  'transfer-unusable': {
    meaning:
      'A transfer cannot run as the installation file is: it, or the connection that has its files, is not there any more, or the private key of the connection cannot be read.',
    next: 'Mend `deviceScore` or `connections`; the next run reads the file anew.',
  },
  'certificate-expiring': {
    meaning:
      'A certificate expires within 30 days or has expired: one of ours that callers or a target see, or one that a target shows. Once it has expired, calls that depend on it fail.',
    next: 'Have it renewed. Files of ours are read again within 10 s after they were replaced, without a restart; for a certificate of a target ask whoever runs it. `tieline connections test` says what it is like now.',
  },
  'run-missed': {
    meaning: 'A run of a transfer did not begin at its time: no worker of device-score was running, or Redis was away.',
    next: 'Start the service; the run then begins at once. Or `tieline schedules run` when it was given up.',
  },
  'rows-left-out': {
    meaning:
      'Rows of the file break their contract or have a value that a lookup does not know. They were left out; all others are confirmed.',
    next: '`tieline messages rows` names them. Mend the lookup and resubmit the dead letter, which sends only what was left out; or correct the rows at the sender and send the message anew.',
  },
  'ack-undelivered': {
    meaning:
      'DERMS did not take the acknowledgment of an event file. The work itself is done and will not be repeated; DERMS does not know how it ended.',
    next: 'Look at the connection to DERMS, then resubmit this dead letter: it sends the acknowledgment alone.',
  },
  'mail-refused': {
    meaning: 'The mail server refused the message for good.',
    next: 'Check sender and recipients in lookup Email_ID, and the mail server.',
  },
  'mail-unreachable': {
    meaning: 'The mail server could not be reached or asked to try later.',
    next: 'Tieline tries for a day. Check `mail.url` (`tieline connections test`).',
  },
  'payload-unreadable': {
    meaning: 'The stored payload could not be read: its key is not in TIELINE_PAYLOAD_KEYS, or the store is damaged.',
    next: 'Put the old key back behind the new one, then resubmit. An event file (F6, F9) is sent again by DERMS itself.',
  },
  unauthenticated: {
    meaning: 'The ingress could not tell who calls: no credentials, or wrong or expired ones. Nothing was recorded.',
    next: 'Compare the credentials of the caller with `ingress.clients`.',
  },
  'not-allowed': {
    meaning:
      'The caller is known but has no right to this flow, or to the instance that it speaks for: by `drmsInstanceId`, or by the division of what it sends or acknowledges. Nothing of it was taken at the door, and nothing was sent.',
    next: 'Look at `flows` and `instances` of the client in `ingress.clients`, and at the row of the division in lookup Routing.',
  },
  'unknown-path': {
    meaning: 'No flow is served under this path or with this method.',
    next: 'List the right URLs with `tieline endpoints`.',
  },
  'unsupported-media-type': {
    meaning:
      'The body is not what its Content-Type or Content-Encoding must say for this flow. Nothing of it was taken; `tieline refusals list` has it for a week.',
    next: 'Send uncompressed `application/json`, or for the event files `multipart/mixed`, `form-data` or `related`.',
  },
  'malformed-body': {
    meaning:
      'The body could not be read as JSON or as a multipart of JSON and file, arrived too slowly, or broke off. Nothing of it was taken; `tieline refusals list` has it for a week.',
    next: 'Correct the sender; the detail says where reading stopped.',
  },
  'too-large': {
    meaning:
      'The body is larger than the ingress allows. Nothing of it was taken; `tieline refusals list` has it for a week.',
    next: 'Send less at once, or raise `ingress.maxJsonBytes`, `ingress.maxRecords` or `ingress.maxFileBytes`.',
  },
  'store-unavailable': {
    meaning:
      'Redis is away, full or refusing, or the ingress is stopping. Nobody can say whether the message was taken. If it was, it runs, and a repeat of it joins it: it is not done twice.',
    next: 'The sender repeats the message. Look at Redis if it lasts.',
  },
  'too-many-requests': {
    meaning:
      'The client has sent more requests within a minute than its `requestsPerMinute` allows. Nothing was recorded.',
    next: 'The sender repeats the message. If it is right to send so many, raise `requestsPerMinute` of the client.',
  },
  overloaded: {
    meaning:
      'So much JSON, or so many files, are being read at the same time that there is no room for more. Nothing was recorded.',
    next: 'The sender repeats the message. If it happens often, start more instances of the ingress, or have senders send less at once.',
  },
  internal: {
    meaning: 'An error of Tieline itself.',
    next: 'Look at the log of the service at the time given, and report it.',
  },
} as const satisfies Record<string, Failure>

export type FailureCode = keyof typeof failures

/** Failures that lie with the connection and not with the message: the next call would meet the same. */
export const connectionFailures: ReadonlySet<string> = new Set<FailureCode>([
  'target-unreachable',
  'target-timeout',
  'target-reset',
  'target-unauthorized',
  'target-forbidden',
  'target-not-found',
  'target-throttled',
  'connection-paused',
])
