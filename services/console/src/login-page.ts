import { html, raw } from 'hono/html'

interface LoginPage {
  /** Where to go afterwards. */
  readonly to: string
  /** The last try was refused. */
  readonly refused?: boolean
}

export const loginPage = ({ to, refused = false }: LoginPage) =>
  page(
    'Log in',
    html`<form method="post" action="/login">
<input type="hidden" name="to" value="${to}">
${refused && html`<p role="alert">Name or password is wrong.</p>`}
<label>Name <input name="name" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`,
  )

/** @param token of the session that ends */
export const logoutPage = ({ token }: { token: string }) =>
  page(
    'Log out',
    html`<form method="post" action="/logout">
<input type="hidden" name="token" value="${token}">
<button>Log out</button>
</form>`,
  )

/** Leads on by itself, from our own address. */
export const bouncePage = (path: string) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=${path}">
<title>Tieline</title>
<a href="${path}">Go on</a>
</html>`

const page = (title: string, content: unknown) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${raw(style)}</style>
<h1>Tieline</h1>
${content}
</html>`

const style = `
body { max-width: 20rem; margin: 4rem auto; font: 15px/1.5 sans-serif; color: #1f2933 }
label, input, button { display: block; width: 100%; box-sizing: border-box }
label { margin: 0.8rem 0 }
button, input { padding: 6px 8px; font: inherit }
[role=alert] { color: #a1261c }
`
