import { failures } from '@tieline/contracts/failures'
import { html, raw } from 'hono/html'
import { boardPath } from './board.ts'

/** What each failure code means and what to do; an e-mail links to its code. */
export const failuresPage = () => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Failure codes</title>
<style>${raw(style)}</style>
<a href="${boardPath}">Queues</a>
<h1>Failure codes</h1>
<p class="codes">${Object.keys(failures).map((code) => html`<a href="#${code}">${code}</a> `)}</p>
${Object.entries(failures).map(
  ([code, { meaning, next }]) => html`<section id="${code}">
<h2><a href="#${code}">${code}</a></h2>
<p>${withCode(meaning)}</p>
<p><strong>What to do:</strong> ${withCode(next)}</p>
</section>
`,
)}
</html>`

/** What stands between backticks is something to type. */
const withCode = (text: string) => text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`))

const style = `
body { max-width: 46rem; margin: 1rem 1.5rem; font: 15px/1.5 sans-serif; color: #1f2933 }
h1 { font-size: 1.5rem }
h2 { margin: 0; font-size: 1.1rem }
h2 a { color: inherit; text-decoration: none }
p { margin: 0.4rem 0 }
code { padding: 0 4px; background: #f0f2f4 }
.codes { line-height: 1.9 }
.codes a { margin-right: 0.6rem; white-space: nowrap }
section { margin: 0.4rem -16px; padding: 8px 12px; border-left: 4px solid transparent }
section:target { border-left-color: #a1261c; background: #fbf3f2 }
`
