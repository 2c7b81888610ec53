module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.PORT),
  flowFile: `${__dirname}/flows.json`,
  userDir: process.env.USER_DIR,
  httpAdminRoot: false,
  httpNodeRoot: '/',
  disableEditor: true,
  functionExternalModules: false,
  telemetry: { enabled: false },
  logging: { console: { level: 'warn', metrics: false, audit: false } },
}
