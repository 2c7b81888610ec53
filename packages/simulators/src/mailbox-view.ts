import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Mail } from './mailbox.ts'

type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** All mails, newest first. */
export const mailsPage = (mails: readonly Mail[]): Html =>
  page(
    'Mailbox',
    html`<h1>Mailbox <small>${mails.length === 1 ? '1 mail' : `${mails.length} mails`}</small></h1>
${mails.length === 0 ? html`<p class="empty">No mail has come yet. Reload to look again.</p>` : mailTable(mails)}`,
  )

/** One mail. @param number from 1, in the order in which they came @param last number of the newest */
export const mailPage = (mail: Mail, number: number, last: number): Html =>
  page(
    mail.subject,
    html`<nav><a href="/">All mails</a><span>${link(number + 1, last, '← Newer')} ${link(number - 1, last, 'Older →')}</span></nav>
<h1>${mail.subject || noSubject}</h1>
<dl>
<dt>From<dd>${mail.from}
<dt>To<dd>${mail.to.join(', ')}
<dt>Came<dd>${time(mail.at)} UTC
<dt>Envelope<dd>${mail.envelope.from || '<>'} → ${mail.envelope.to.join(', ')}
</dl>
<h2>Text</h2>
${mail.text === '' ? html`<p class="empty">None.</p>` : html`<pre>${mail.text.trimEnd()}</pre>`}
<h2>HTML</h2>
${
  mail.html === ''
    ? html`<p class="empty">None.</p>`
    : html`<iframe sandbox title="HTML of the mail" src="/mails/${number}/html"></iframe>`
}
<h2>Headers</h2>
<table class="headers">${Object.entries(mail.headers).map(([name, value]) => html`<tr><th>${name}<td>${value}`)}</table>`,
  )

export const missingMailPage = (): Html =>
  page('No such mail', html`<nav><a href="/">All mails</a></nav><h1>There is no such mail</h1>`)

export const style = `
:root { color-scheme: light; --line: #d9dee5; --quiet: #5b6675; --link: #0b57a4; }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1.5rem; background: #f6f7f9; color: #1c232d;
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 1rem; font-size: 1.35rem; overflow-wrap: anywhere; }
h1 small { margin-left: .5rem; color: var(--quiet); font-size: 1rem; font-weight: normal; }
h2 { margin: 1.25rem 0 .5rem; font-size: 1rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
nav { display: flex; justify-content: space-between; margin-bottom: 1rem; }
nav span { display: flex; gap: 1.5rem; }
table, pre, dl, iframe { box-sizing: border-box; width: 100%; border: 1px solid var(--line); border-radius: 6px; background: #fff; }
table { border-spacing: 0; }
th, td { padding: .5rem .75rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 600; }
tr + tr > *, tbody > tr > * { border-top: 1px solid var(--line); }
.headers tr:first-child > * { border-top: 0; }
.headers th { width: 16rem; font-weight: normal; }
.mails tbody tr { position: relative; }
.mails tbody tr:hover { background: #eef3f9; }
.mails tbody a::after { position: absolute; inset: 0; content: ""; }
.mails td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.mails td:not(:last-child) { max-width: 15rem; color: var(--quiet); overflow-wrap: break-word; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1rem; padding: .75rem; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem; overflow-wrap: anywhere; white-space: pre-wrap; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
iframe { height: 22rem; resize: vertical; overflow: auto; }
.empty { margin: 0; color: var(--quiet); }
`

const noSubject = '(no subject)'

const page = (title: string, content: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title || noSubject}</title>
<style>${raw(style)}</style>
</head>
<body>
${content}
</body>
</html>`

const mailTable = (mails: readonly Mail[]): Html => html`<table class="mails">
<thead><tr><th>Time (UTC)<th>From<th>To<th>Subject</thead>
<tbody>${mails.map((mail, index) => mailRow(mail, index + 1)).reverse()}</tbody>
</table>`

const mailRow = ({ at, from, to, subject }: Mail, number: number): Html => html`
<tr><td>${time(at)}<td>${from}<td>${to.join(', ')}<td><a href="/mails/${number}">${subject || noSubject}</a>`

const link = (number: number, last: number, label: string): Html =>
  number < 1 || number > last ? html`` : html`<a href="/mails/${number}">${label}</a>`

const time = (ms: number): Html => {
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`
}
