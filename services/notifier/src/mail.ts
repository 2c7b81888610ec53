import { createHash } from 'node:crypto'
import { failures } from '@tieline/contracts/failures'
import { flowSpec, isFlowId } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import type { Installation } from '@tieline/runtime/installation'
import type { Mail } from '@tieline/targets/mailer'

const idLengthMax = 60

/**
 * The words of an e-mail about a message. What varies in them are codes, names and ids; they are cut to one line each, so
 * that no id can pose as a header or as another line.
 * @param key key of the notification; the Message-ID derives from it, so that a mail sent twice can be recognised
 */
export function composeMail(
  notice: Notice,
  key: string,
  installation: Pick<Installation, 'installation' | 'console'>,
): Pick<Mail, 'subject' | 'text' | 'html' | 'messageId'> {
  const { name, environment } = installation.installation
  const flow = flowNames(notice.flow)
  const summary = oneLine(notice.summary)
  const facts = factsOf(notice, flow.full)
  const link = linkTo(notice.messageKey, installation.console.publicUrl)
  const command = `pnpm tieline messages show ${oneLine(notice.messageKey)}`
  const hash = createHash('sha256').update(`${environment} ${key}`).digest('hex').slice(0, 32)
  return {
    subject: `[Tieline ${name}/${environment}] ${flow.short}: ${oneLine(notice.code)} ${shortId(notice.messageKey)}`,
    text: renderText(summary, facts, link, command),
    html: renderHtml(summary, facts, link, command),
    messageId: `<${hash}@${name}>`,
  }
}

type Fact = readonly [label: string, text: string]

function factsOf(notice: Notice, flow: string): Fact[] {
  const failure = Object.entries(failures).find(([code]) => code === notice.code)?.[1]
  const facts: (Fact | false | undefined)[] = [
    ['Flow', flow],
    ['When', `${new Date(notice.occurredAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    notice.connection !== undefined && ['Connection', notice.connection],
    notice.httpStatus !== undefined && ['HTTP status', String(notice.httpStatus)],
    ['Attempts', String(notice.attempts)],
    ['What happens next', notice.next],
    ['Code', notice.code],
    failure && ['What it means', failure.meaning],
    failure && ['What to do', failure.next],
    ['Message', notice.messageKey],
  ]
  return facts.filter((fact) => fact !== undefined && fact !== false).map(([label, text]) => [label, oneLine(text)])
}

function flowNames(id: string): { readonly short: string; readonly full: string } {
  if (!isFlowId(id)) return { short: oneLine(id), full: id }
  const { code, title, caller, target } = flowSpec(id)
  return { short: `${code} ${title}`, full: `${code} ${title}, ${caller} to ${target}` }
}

/** The last part of `<flow>.<instance>.<id>`: what DERMS and DACS call the message. */
function shortId(messageKey: string): string {
  const id = oneLine(messageKey.slice(messageKey.lastIndexOf('.') + 1))
  return id.length <= idLengthMax ? id : `${id.slice(0, idLengthMax - 1)}…`
}

const linkTo = (messageKey: string, publicUrl: string | undefined): string | undefined =>
  publicUrl && `${publicUrl.replace(/\/+$/, '')}/messages/${encodeURIComponent(messageKey.toWellFormed())}`

/** Control characters, line ends and characters that turn the direction of text become blanks. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()

const renderText = (summary: string, facts: readonly Fact[], link: string | undefined, command: string): string =>
  [
    summary,
    '',
    ...facts.map(([label, text]) => `${label}: ${text}`),
    '',
    ...(link === undefined ? [] : [`Look at it: ${link}`]),
    `On the command line: ${command}`,
    '',
  ].join('\n')

/** Tables and inline styles are what all mail programs understand. */
function renderHtml(summary: string, facts: readonly Fact[], link: string | undefined, command: string): string {
  const row = ([label, text]: Fact) =>
    `<tr><td style="padding:4px 16px 4px 0;color:#555;vertical-align:top;white-space:nowrap">${escaped(label)}</td>` +
    `<td style="padding:4px 0;vertical-align:top">${escaped(text)}</td></tr>`
  return [
    '<!doctype html>',
    '<html lang="en"><body style="font-family:sans-serif;font-size:14px;color:#222">',
    `<p style="font-size:16px"><strong>${escaped(summary)}</strong></p>`,
    `<table role="presentation" cellspacing="0" cellpadding="0" style="border-collapse:collapse">`,
    ...facts.map(row),
    '</table>',
    ...(link === undefined ? [] : [`<p><a href="${escaped(link)}">Look at it</a></p>`]),
    `<p>On the command line: <code>${escaped(command)}</code></p>`,
    '</body></html>',
    '',
  ].join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char)
