/** A line of an e-mail, or a list under a label. */
export type Fact = readonly [label: string, text: string | readonly string[]]

export interface Layout {
  /** What kind of mail it is, in a word or two. */
  readonly title: string
  readonly tone: keyof typeof colours
  readonly summary: string
  /** Paragraphs of facts: what to read first comes first. */
  readonly facts: readonly (readonly Fact[])[]
  readonly links: readonly (readonly [label: string, url: string])[]
  /** What to type to learn more, and to mend it. */
  readonly commands: readonly (readonly [label: string, command: string])[]
}

/** Dark enough for white letters on them, also for people who see no colours. */
const colours = { bad: '#a1261c', good: '#1c6b3a', plain: '#2f4a66' } as const

/** Control characters, line ends and characters that turn the direction of text become blanks. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()

export const renderText = ({ summary, facts, links, commands }: Layout): string =>
  [
    summary,
    '',
    ...facts.flatMap((paragraph) => (paragraph.length === 0 ? [] : [...paragraph.map(line), ''])),
    ...links.map(([label, url]) => `${label}: ${url}`),
    ...commands.map(([label, command]) => `${label}: ${command}`),
    '',
  ].join('\n')

const line = ([label, text]: Fact): string =>
  `${label}:${typeof text === 'string' ? ` ${text}` : text.map((item) => `\n  - ${item}`).join('')}`

/** Tables and inline styles are what all mail programs understand. */
export function renderHtml({ title, tone, summary, facts, links, commands }: Layout): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"></head>',
    '<body style="margin:0;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.45;color:#1f2933">',
    '<table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="border-collapse:collapse">',
    `<tr><td style="padding:8px 16px;background:${colours[tone]};color:#ffffff"><strong>${escaped(title)}</strong></td></tr>`,
    '<tr><td style="padding:12px 16px;max-width:760px">',
    `<p style="margin:0 0 12px;font-size:17px"><strong>${escaped(summary)}</strong></p>`,
    ...facts.filter((paragraph) => paragraph.length > 0).map(table),
    ...links.map(([label, url]) => `<p style="margin:0 0 8px"><a href="${escaped(url)}">${escaped(label)}</a></p>`),
    ...commands.map(
      ([label, command]) => `<p style="margin:0 0 8px;color:#52606d">${escaped(label)}: ${inCode(command)}</p>`,
    ),
    '</td></tr></table>',
    '</body></html>',
    '',
  ].join('\n')
}

const table = (facts: readonly Fact[]): string =>
  [
    '<table role="presentation" cellspacing="0" cellpadding="0" style="border-collapse:collapse;margin:0 0 14px">',
    ...facts.map(row),
    '</table>',
  ].join('\n')

const row = ([label, text]: Fact): string =>
  `<tr><td width="150" style="padding:3px 16px 3px 0;color:#52606d;vertical-align:top">${escaped(label)}</td>` +
  `<td style="padding:3px 0;vertical-align:top;overflow-wrap:anywhere">${typeof text === 'string' ? escaped(text) : list(text)}</td></tr>`

const list = (items: readonly string[]): string =>
  `<ul style="margin:0;padding:0 0 0 16px">${items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ul>`

const inCode = (text: string): string =>
  `<code style="padding:1px 4px;background:#f0f2f4;color:#1f2933">${escaped(text)}</code>`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char)
