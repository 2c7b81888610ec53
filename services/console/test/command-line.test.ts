import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { verifyPassword } from '@tieline/runtime/password-hash'
import { describe, expect, it } from 'vitest'
import { openInstallation, run } from './harness.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')

describe('the command line', () => {
  it('answers what it does not understand with the usage of what was meant, and 2', async () => {
    expect(await run([])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^Commands:\n[\s\S]*messages find[\s\S]*password hash/),
    })
    expect(await run(['messages', 'fnd', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^There is no command messages fnd\.\n\nCommands:\n {2}pnpm tieline messages find/),
    })
    expect((await run(['nonsense', 'x'])).err).toMatch(/^There is no command nonsense\.\n\nCommands:/)
    expect((await run(['messages'])).err).toMatch(/^Commands:/)
    expect((await run(['messages', 'fnd', 'x'])).err).not.toContain('lookups')
    expect(await run(['messages', 'find'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Usage: pnpm tieline messages find <term>/),
    })
    expect(await run(['messages', 'find', 'a', 'b'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/word too many/),
    })
    expect(await run(['flows', 'status', '--yaml'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--yaml[\s\S]*Usage: .*flows status/),
    })
  })

  it('explains itself when asked', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/dead resubmit/) })
    expect(await run(['help'])).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Commands:/) })
    expect(await run(['help', 'dead'])).toMatchObject({ code: 0, out: expect.stringMatching(/^Commands:/) })
    expect(await run(['dead', 'resubmit', '--help'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Usage: pnpm tieline dead resubmit/),
    })
  })

  it('names every fault of the configuration, and where Redis should be', async () => {
    expect(await run(['flows', 'status'], { env: { TIELINE_CONFIG: '/nowhere.yaml' } })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\/nowhere\.yaml: cannot be read \(ENOENT\)/),
    })
    const both = { TIELINE_CONFIG: '/nowhere.yaml', INGRESS_PORT: 'x' }
    expect((await run(['flows', 'status'], { env: both })).err).toMatch(
      /INGRESS_PORT: [\s\S]*\/nowhere\.yaml: cannot be read/,
    )
    await using site = await openInstallation()
    const { REDIS_URL: _, ...env } = site.env
    expect(await run(['flows', 'status'], { env })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/REDIS_URL: is required, unless/),
    })
  })

  it('finds the Redis of `pnpm start` by its data directory', async () => {
    await using site = await openInstallation()
    const { REDIS_URL, ...env } = site.env
    await mkdir(join(site.directory, 'redis'))
    await writeFile(join(site.directory, 'redis', 'url'), `${REDIS_URL}\n`)
    expect(await run(['flows', 'status'], { env })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/stage-status .* alive/),
    })
  })

  it('runs as a program and ends by itself', async () => {
    await using site = await openInstallation()
    const key = await site.settle('program', 'dead')
    const program = promisify(execFile)
    const env = { ...process.env, ...site.env }
    const { stdout, stderr } = await program(process.execPath, [cli, 'dead', 'list'], { env })
    expect(stdout).toContain(key)
    expect(stderr).toBe('')
    await expect(program(process.execPath, [cli, 'messages', 'show', 'lost'], { env })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no message lost'),
    })
  })
})

it('hashes a password that is long enough', async () => {
  const { code, out } = await run(['password', 'hash'], { stdin: 'a long enough password\n' })
  expect(code).toBe(0)
  expect(await verifyPassword('a long enough password', out.trim())).toBe(true)
  expect(await run(['password', 'hash'], { stdin: 'short' })).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/at least 12/),
  })
})

it('tells every URL to enter in DERMS and DACS, ours and that of Oracle Integration', async () => {
  const { code, out } = await run(['endpoints', '--base', 'https://tieline.example/'])
  expect(code).toBe(0)
  const oic = 'https://tieline.example/ic/api/integration/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS'
  for (const text of [
    'DERMS, parameter OIC_ENROLL_URL\nURL            https://tieline.example/derms/enroll-to-dacs\n',
    `${oic}/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
    'DERMS, parameter OIC_ENROLL_ACK_URL\nURL            https://tieline.example/derms/sendEnrollAck\n',
    'DERMS, parameter OIC_STATUS_ACK_URL\nURL            https://tieline.example/derms/status-check-ack-to-dacs\n',
    'DERMS, parameter OIC_STAGE_STATUS_CHANGE_URL\nURL            https://tieline.example/derms/statusUpdate\n',
    'X1-NMSDASMSG\nURL            https://tieline.example/dacs/enroll\n',
    'X1-CTRLDVCS\nURL            https://tieline.example/dacs/deviceStatusCheck\n',
    `${oic}/OUTL-BA-DACS_DRMS_DEVICE_STATUS/1.0/deviceStatusCheck`,
    `or, chapter 2  ${oic}/OUTL-BA-DACS_DRMS_DEVICE_STATUS/1.0/status-check-ack-to-dacs`,
    `or, chapter 2  ${oic}/OUTL-BA-DRMS_DACS_STAGE_STAT_UPD/1.0/stage-status-to-dacs`,
  ]) {
    expect(out).toContain(text)
  }
  expect((await run(['endpoints'], { env: { INGRESS_PORT: '8081' } })).out).toContain(
    'http://localhost:8081/dacs/enroll',
  )
  expect(await run(['endpoints', '--base', 'tieline.example'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--base takes/),
  })
})
