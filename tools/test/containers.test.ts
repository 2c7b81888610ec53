import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { environmentSchema } from '@tieline/runtime/environment'
import { redisArguments } from '@tieline/runtime/redis-process'
import { readSimulatorEnvironment } from '@tieline/simulators/environment'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { shutdownMs as billsShutdownMs } from '../../services/bill-provisioning/src/service.ts'
import { root } from '../src/generate.ts'
import { heapFlags, heapFlagsOf } from '../src/service-processes.ts'
import { type ComposeService, compose, image, tielineServices } from './container-files.ts'

const { services } = compose
const workspaceServices = readdirSync(join(root, 'services'))
const graceS = ({ stop_grace_period }: ComposeService) => Number.parseInt(stop_grace_period ?? '10', 10)

describe('the image', () => {
  it('runs node with the heap flags of `start`, without a shell that would keep signals for itself', () => {
    expect(image.entrypoint).toEqual(['node', ...heapFlags])
  })

  it('sets only variables that services read, and opens health to other containers', () => {
    const { NODE_ENV, ...environment } = image.environment
    expect(NODE_ENV).toBe('production')
    expect(Object.keys(environment).filter((name) => !(name in environmentSchema.shape))).toEqual([])
    expect(environment.METRICS_HOST).toBe('0.0.0.0')
    expect(environment.DATA_DIR).toBe(image.volume)
  })

  it('runs as a user that is not root, by number', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  it.each([
    [200, 0],
    [503, 1],
  ])('is healthy when the service is ready: after HTTP %i the check ends with %i', async (status, exitCode) => {
    const asked: (string | undefined)[] = []
    const server = createServer(({ url }, response) => {
      asked.push(url)
      response.writeHead(status).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await exitCodeOfHealthCheck(port)).toBe(exitCode)
    expect(asked).toEqual(['/health/ready'])
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    expect(await exitCodeOfHealthCheck(port)).toBe(1)
  })

  it('names no command that is not there', () => {
    const program = image.command.at(-1) ?? 'nothing'
    expect(existsSync(join(root, program))).toBe(true)
    expect([...heapFlags, ...image.command]).toEqual([...heapFlagsOf('ingress'), program])
  })
})

describe('the Compose file', () => {
  it('runs every service of the workspace, with its heap flags of `start`', () => {
    const commands = tielineServices.map(([name, { command }]) => [name, [...heapFlags, ...(command ?? [])]])
    expect(Object.fromEntries(commands)).toEqual(
      Object.fromEntries(
        workspaceServices.map((name) => [name, [...heapFlagsOf(name), `services/${name}/src/main.ts`]]),
      ),
    )
  })

  it('builds each image of ours once, with arguments that the Dockerfile has', () => {
    const builds = Object.values(services).flatMap(({ build, image }) =>
      build === undefined ? [] : [{ build, image }],
    )
    expect(builds.map(({ image }) => image).sort()).toEqual(['tieline', 'tieline-simulators'])
    for (const { build } of builds) {
      expect(existsSync(join(root, build.context, 'Dockerfile'))).toBe(true)
      expect(Object.keys(build.args).filter((name) => !image.args.includes(name))).toEqual([])
    }
  })

  it('names images without a registry, and with a version unless they are ours', () => {
    const names = Object.values(services).map(({ image }) => image)
    for (const name of names) expect(name).toMatch(/^(tieline(-simulators)?|([a-z]+\/)?[a-z]+:\w[\w.-]*)$/)
  })

  it('sets only variables that somebody reads', () => {
    const ofServices = tielineServices.flatMap(([, { environment }]) => Object.keys(environment))
    expect(ofServices.filter((name) => !(name in environmentSchema.shape))).toEqual([])
    const environment = services.simulators?.environment ?? {}
    const read = readSimulatorEnvironment(environment)
    expect(Object.keys(environment).filter((name) => !(name in read))).toEqual([])
  })

  it('mounts only files that exist and volumes that are declared', () => {
    const sources = Object.values(services).flatMap(({ volumes }) =>
      volumes.map((volume) => (typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source)),
    )
    const missing = (source: string) =>
      source.startsWith('.') ? !existsSync(join(root, source)) : !(source in compose.volumes)
    expect(sources.filter(missing)).toEqual([])
  })

  it('gives Redis the settings that Tieline asks for, a limit, and a volume', () => {
    const [server, ...args] = services.redis?.command ?? []
    expect(server).toBe('redis-server')
    const given = pairs(args)
    expect(given).toMatchObject({
      '--appendonly': 'yes',
      '--appendfsync': 'always',
      '--maxmemory-policy': 'noeviction',
      '--maxmemory': expect.stringMatching(/^\d+[gm]b$/),
    })
    // What an embedded Redis has besides is about its place.
    const embedded = pairs(redisArguments({ port: 0, dataDir: '' }))
    const different = Object.keys(embedded).filter((name) => embedded[name] !== given[name])
    expect(different).toEqual(['--port', '--bind', '--dir', '--daemonize'])
    expect(services.redis?.volumes).toEqual(['redis:/data'])
  })

  it('lets nobody but services to Redis, which asks for no password', () => {
    expect(compose.networks.redis?.internal).toBe(true)
    const others = Object.entries(services).filter(
      ([name, { networks }]) => networks.includes('redis') && name !== 'redis',
    )
    // An agent runs in another network, where no Redis is.
    expect(others.map(([name]) => name).sort()).toEqual(workspaceServices.filter((name) => name !== 'agent').sort())
    expect(services.redis?.networks).toEqual(['redis'])
    expect(services.redis?.ports).toEqual([])
  })

  it('leaves room for replicas: no names of containers, no ports of this machine at workers', () => {
    const named = Object.values(services).filter(({ container_name }) => container_name !== undefined)
    expect(named).toEqual([])
    const published = tielineServices.filter(([, { ports }]) => ports.length > 0).map(([name]) => name)
    expect(published.sort()).toEqual(['bill-provisioning', 'console', 'gateway', 'ingress'])
  })

  it('publishes on loopback only', () => {
    const ports = Object.values(services).flatMap(({ ports }) => ports)
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  it('starts a service when Redis is healthy, the ingress when its workers are', () => {
    for (const [name, { depends_on }] of tielineServices) {
      if (name === 'agent') continue
      expect(depends_on.redis).toEqual({ condition: 'service_healthy', required: true })
      // Only the demo has them.
      expect(depends_on.simulators?.required).toBe(false)
    }
    expect(Object.keys(services.ingress?.depends_on ?? {})).toEqual(
      expect.arrayContaining(['enrollment', 'events', 'notifier']),
    )
  })

  it('waits only for what has a health check', () => {
    const awaited = Object.values(services).flatMap(({ depends_on }) => Object.keys(depends_on))
    const known = (name: string) => services[name]?.healthcheck !== undefined || services[name]?.image === 'tieline'
    expect(awaited.filter((name) => !known(name))).toEqual([])
  })

  it('stops a service gently, and gives it the time it may take', () => {
    for (const [name, service] of tielineServices) {
      expect({ name, init: service.init, readOnly: service.read_only }).toEqual({ name, init: true, readOnly: true })
      expect(graceS(service)).toBeGreaterThanOrEqual(30)
    }
    const bills = services['bill-provisioning']
    expect(bills && graceS(bills) * 1_000).toBeGreaterThan(billsShutdownMs)
  })
})

describe('Prometheus', () => {
  it('looks for every service, at the port of its metrics', () => {
    const config = parse(readFileSync(join(root, 'deploy/observe/prometheus.yml'), 'utf8'))
    const [{ names, port }] = config.scrape_configs[0].dns_sd_configs
    expect([...names].sort()).toEqual([...workspaceServices].sort())
    expect(String(port)).toBe(image.environment.METRICS_PORT)
  })
})

const pairs = (args: readonly string[]): Record<string, string> =>
  Object.fromEntries(args.flatMap((name, i) => (i % 2 === 0 ? [[name, args[i + 1] ?? '']] : [])))

async function exitCodeOfHealthCheck(port: number): Promise<number> {
  const [, ...args] = image.healthCommand
  const env = { METRICS_PORT: String(port) }
  return promisify(execFile)(process.execPath, args, { env }).then(
    () => 0,
    ({ code }: { code: number }) => code,
  )
}
