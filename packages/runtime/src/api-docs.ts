import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Hono } from 'hono'

/** Serves an OpenAPI document as `/openapi.json`, and Swagger UI for it as `/docs`, from the files on disk. */
export function mountApiDocs(app: Hono, openapi: unknown): void {
  const directory = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const headers = { 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }
  app.get('/openapi.json', (c) => c.json(openapi))
  app.get('/docs', (c) => c.html(page, 200, headers))
  app.get('/docs/start.js', (c) => c.body(start, 200, { ...headers, 'content-type': 'text/javascript; charset=utf-8' }))
  for (const [name, contentType] of Object.entries(assets)) {
    app.get(`/docs/${name}`, async (c) => {
      const content = new Uint8Array(await readFile(join(directory, name)))
      return c.body(content, 200, { ...headers, 'content-type': contentType, 'cache-control': 'max-age=3600' })
    })
  }
}

const assets = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

/** Everything from here, nothing from elsewhere; Swagger UI needs styles in its elements and images in data: addresses. */
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

/** Addresses are relative, so that it also works behind a proxy that adds a prefix. */
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`

/** Without a validator: it would send the document to a server on the internet. */
const start = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })
`
