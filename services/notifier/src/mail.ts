import { createHash } from 'node:crypto'
import { type FailureCode, failures } from '@tieline/contracts/failures'
import type { Notice } from '@tieline/contracts/notice'
import type { Installation } from '@tieline/runtime/installation'
import type { Mail } from '@tieline/targets/mailer'
import { downConnection, downHeadline } from './down.ts'
import { factsOf, flowNames, toldCode } from './mail-facts.ts'
import { type Layout, oneLine, renderHtml, renderText } from './mail-layout.ts'

const idLengthMax = 60

/**
 * The words of an e-mail. What varies in them are codes, names and ids; they are cut to one line each, so that no id can pose
 * as a header or as another line.
 * @param key key of the notification; the Message-ID derives from it, so that a mail sent twice can be recognised
 */
export function composeMail(
  notice: Notice,
  key: string,
  installation: Pick<Installation, 'installation' | 'console' | 'mail'>,
): Pick<Mail, 'subject' | 'text' | 'html' | 'messageId'> {
  const { name, environment } = installation.installation
  const layout: Layout = {
    ...titleOf(notice),
    summary: sentence(oneLine(headlineOf(notice) ?? notice.summary)),
    facts: factsOf(notice, { joins: (installation.mail?.digestMinutes ?? 0) > 0 }),
    links: linksOf(notice, installation.console.publicUrl),
    commands: commandsOf(notice),
  }
  const hash = createHash('sha256').update(`${environment} ${key}`).digest('hex').slice(0, 32)
  return {
    subject: `[Tieline ${name}/${environment}] ${subjectOf(notice)}`,
    text: renderText(layout),
    html: renderHtml(layout),
    messageId: `<${hash}@${name}>`,
  }
}

/** What is wrong with the connection, when the mail is the first about that. */
function headlineOf(notice: Notice): string | undefined {
  const connection = downConnection(notice)
  return connection === undefined ? undefined : downHeadline(notice, connection)
}

function titleOf(notice: Notice): Pick<Layout, 'title' | 'tone'> {
  const { kind, code, digest } = notice
  switch (kind) {
    case 'error':
      if (code === 'connection-down' || downConnection(notice) !== undefined)
        return { title: digest ? 'Connection still down' : 'Connection down', tone: 'bad' }
      return { title: digest ? 'More failures of the same kind' : 'Failure', tone: 'bad' }
    case 'recovered':
      return { title: 'Works again', tone: 'good' }
    case 'process-complete':
      if (digest) return { title: 'More files have ended', tone: 'plain' }
      return code === 'completed'
        ? { title: 'Process complete', tone: 'plain' }
        : { title: 'Process ended, not all went through', tone: 'bad' }
    case 'no-file':
      return { title: 'No file', tone: 'plain' }
    case 'expiring':
      return { title: 'A certificate ends', tone: 'bad' }
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

function subjectOf(notice: Notice): string {
  const { kind, flow, code, client, connection = client ?? '', messageKey, event, digest } = notice
  if (kind === 'recovered') return `${oneLine(code)}: ${short(connection)}`
  if (kind === 'expiring') return `${oneLine(code)}: ${short(notice.summary)}`
  if (code === 'connection-down' && digest)
    return `${short(connection)} is still down: ${digest.count} more ${digest.count === 1 ? 'failure' : 'failures'}`
  const headline = headlineOf(notice)
  if (headline !== undefined)
    return `${oneLine(headline)}: ${flowNames(flow).code} ${short(code)} ${short(lastPart(messageKey ?? ''))}`.trim()
  const which = messageKey === undefined ? connection : lastPart(messageKey)
  const about = digest ? `${digest.count} more${event === undefined ? '' : ` of ${short(event)}`}` : short(which)
  return `${flowNames(flow).short}: ${short(code)} ${about}`.trim()
}

/** What DERMS and DACS call the message: the id in `<flow>.<instance>.<id>`. */
const lastPart = (messageKey: string) => messageKey.slice(messageKey.lastIndexOf('.') + 1)

function short(text: string): string {
  const line = oneLine(text)
  return line.length <= idLengthMax ? line : `${line.slice(0, idLengthMax - 1).toWellFormed()}…`
}

function linksOf({ messageKey, code, cause, digest }: Notice, publicUrl: string | undefined): Layout['links'] {
  if (publicUrl === undefined) return []
  const root = publicUrl.replace(/\/+$/, '')
  const path = (text: string) => encodeURIComponent(text.toWellFormed())
  const about = toldCode({ code, cause })
  return [
    ...(messageKey === undefined || digest ? [] : [['Look at it', `${root}/messages/${path(messageKey)}`] as const]),
    ...(Object.hasOwn(failures, about) ? [['About the code', `${root}/failures#${path(about)}`] as const] : []),
  ]
}

/** Messages do not end with these codes: there is a mail about a message all the same. */
const codesOfNoEnd: ReadonlySet<string> = new Set<FailureCode>(['still-failing', 'reply-uncollected'])

/** How a message runs again that would else meet the same end; null: not at all. */
const reruns: Readonly<Record<string, string | null>> = {
  'outcome-unknown': ' --from-start',
  superseded: ' --force',
  'contract-violation': null,
}

function commandsOf(notice: Notice): Layout['commands'] {
  const { messageKey, code, connection, rerun, digest } = notice
  const isDown = code === 'connection-down' || downConnection(notice) !== undefined
  const how = Object.hasOwn(reruns, code) ? reruns[code] : undefined
  const again = how === undefined ? rerun : 'messages rerun'
  const isOver = rerun !== undefined && messageKey !== undefined && !digest && how !== null
  return [
    ...(isDown ? [['Test the connection', `pnpm tieline connections test ${word(connection ?? '')}`] as const] : []),
    ['On the command line', commandOf(notice)],
    ...(isOver
      ? [['Run it again', `pnpm tieline ${again} ${word(messageKey)}${how ?? ''} --reason '…'`] as const]
      : []),
  ]
}

function commandOf({ kind, messageKey, flow, code, client, refusal, since, digest }: Notice): string {
  const from = (iso: string | undefined) => (iso === undefined ? '' : ` --since ${iso}`)
  if (kind === 'recovered') return `pnpm tieline attention list${from(since)}`
  if (code === 'connection-down') return `pnpm tieline attention list${from(digest?.first)}`
  if (code === 'run-missed') return 'pnpm tieline schedules list'
  if (kind === 'expiring') return 'pnpm tieline connections test'
  if (refusal !== undefined) return `pnpm tieline refusals show ${oneLine(refusal)}`
  if (client !== undefined) {
    const which = `--flow ${oneLine(flow)} --client ${oneLine(client)} --code ${oneLine(code)}`
    return `pnpm tieline refusals list ${which}${from(digest?.since)}`
  }
  if (digest === undefined) {
    return messageKey === undefined ? 'pnpm tieline flows status' : `pnpm tieline messages show ${word(messageKey)}`
  }
  const list = `pnpm tieline messages list --flow ${oneLine(flow)}`
  if (code === 'still-failing') return `${list} --state retrying`
  const ofCode = kind === 'error' && !codesOfNoEnd.has(code) && digest.named.every(({ file }) => file === undefined)
  return `${list}${ofCode ? ` --code ${oneLine(code)}` : ''}${from(digest.since)}`
}

/** As a shell takes it for one word: ids come from outside. */
function word(text: string): string {
  const line = oneLine(text)
  return /^[\w.:@%+/=-]+$/.test(line) ? line : `'${line.replaceAll("'", String.raw`'\''`)}'`
}
