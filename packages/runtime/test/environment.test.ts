import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readEnvironment } from '../src/environment.ts'

const key = (bytes = 32) => randomBytes(bytes).toString('base64')

describe('the environment', () => {
  it('has the documented defaults, also for variables that are set but empty', () => {
    const usual = {
      configFile: './config/tieline.yaml',
      ingressPort: 8080,
      consolePort: 8090,
      billsPort: 8070,
      gatewayPort: 8443,
      gatewayWorkersPort: 8061,
      gatewayWorkersHost: '127.0.0.1',
      metricsHost: '127.0.0.1',
      metricsPort: 0,
      logLevel: 'info',
      dataDir: './data',
      payloadKeys: [],
      allowVolatileRedis: false,
    }
    expect(readEnvironment({})).toEqual(usual)
    expect(readEnvironment({ REDIS_URL: '', INGRESS_PORT: '', TIELINE_PAYLOAD_KEYS: '', LOG_LEVEL: '' })).toEqual(usual)
  })

  it('is read completely', () => {
    const [first, second] = [key(), key()]
    expect(
      readEnvironment({
        REDIS_URL: 'redis-sentinel://a:1,b:2/main',
        REDIS_MAXMEMORY: '2gb',
        TIELINE_CONFIG: '/etc/tieline.yaml',
        INGRESS_PORT: '1',
        CONSOLE_PORT: '2',
        BILLS_PORT: '4',
        GATEWAY_PORT: '5',
        GATEWAY_WORKERS_PORT: '6',
        GATEWAY_WORKERS_HOST: '10.0.0.1',
        METRICS_HOST: '0.0.0.0',
        METRICS_PORT: '3',
        LOG_LEVEL: 'debug',
        DATA_DIR: '/var/tieline',
        TIELINE_PAYLOAD_KEYS: `new:${first}, old:${second}`,
        TIELINE_ALLOW_VOLATILE_REDIS: '1',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      }),
    ).toEqual({
      redisUrl: 'redis-sentinel://a:1,b:2/main',
      redisMaxMemory: '2gb',
      configFile: '/etc/tieline.yaml',
      ingressPort: 1,
      consolePort: 2,
      billsPort: 4,
      gatewayPort: 5,
      gatewayWorkersPort: 6,
      gatewayWorkersHost: '10.0.0.1',
      metricsHost: '0.0.0.0',
      metricsPort: 3,
      logLevel: 'debug',
      dataDir: '/var/tieline',
      payloadKeys: [
        { id: 'new', key: Buffer.from(first, 'base64') },
        { id: 'old', key: Buffer.from(second, 'base64') },
      ],
      allowVolatileRedis: true,
      traceEndpoint: 'http://collector:4318',
    })
  })

  it('is refused with every fault at once and without a value', () => {
    const read = () =>
      readEnvironment({
        REDIS_URL: 'http://:marked@redis',
        REDIS_MAXMEMORY: 'marked',
        INGRESS_PORT: 'marked',
        METRICS_PORT: '65536',
        LOG_LEVEL: 'marked',
        TIELINE_ALLOW_VOLATILE_REDIS: 'marked',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://marked',
        TIELINE_PAYLOAD_KEYS: `a:${key(31)},marked,a:${key()}`,
      })
    expect(read).toThrow(
      [
        'The environment has faults:',
        '  REDIS_URL: must begin with redis://, rediss://, redis+unix://, redis-sentinel:// or redis-cluster://',
        '  REDIS_MAXMEMORY: must be a number of bytes, or one with kb, mb or gb after it',
        '  INGRESS_PORT: Invalid input: expected number, received NaN',
        '  METRICS_PORT: Too big: expected number to be <=65535',
      ].join('\n'),
    )
    expect(read).toThrow(
      /LOG_LEVEL: .*\n.*TIELINE_PAYLOAD_KEYS: key 1 .*\n.*KEYS: key 2 .*\n.*KEYS: must not hold an id twice\n.*VOLATILE.*\n.*OTLP_ENDPOINT: must begin with http/,
    )
    expect(read).not.toThrow(/marked/)
  })
})
