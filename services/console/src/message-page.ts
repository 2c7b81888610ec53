import type { MessageDetails } from '@tieline/journal/operations'
import { html } from 'hono/html'
import { boardPath } from './board.ts'
import { formatMessage } from './message-view.ts'

/** Where the links in e-mails lead: what `tieline messages show` prints. */
export const messagePage = (message: MessageDetails) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${message.key}</title>
<a href="${boardPath}">Queues</a>
<pre>${formatMessage(message)}</pre>
</html>`
