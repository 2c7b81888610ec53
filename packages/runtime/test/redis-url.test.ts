import { describe, expect, it } from 'vitest'
import { parseRedisUrl, socketUrl } from '../src/redis-url.ts'

describe('REDIS_URL', () => {
  it('names one server, with and without its defaults', () => {
    expect(parseRedisUrl('redis://redis.example')).toEqual({
      mode: 'single',
      hosts: [{ host: 'redis.example', port: 6379 }],
      tls: false,
      db: 0,
      shown: 'redis://redis.example',
    })
    expect(parseRedisUrl('rediss://user:p%40ss@[::1]:6380/3')).toEqual({
      mode: 'single',
      hosts: [{ host: '::1', port: 6380 }],
      tls: true,
      db: 3,
      username: 'user',
      password: 'p@ss',
      shown: 'rediss://[::1]:6380/3',
    })
  })

  it('names a socket of this machine', () => {
    expect(parseRedisUrl('redis+unix:///run/redis/redis.sock')).toEqual({
      mode: 'single',
      hosts: [],
      socket: '/run/redis/redis.sock',
      tls: false,
      db: 0,
      shown: 'redis+unix:///run/redis/redis.sock',
    })
    expect(parseRedisUrl('redis+unix://user:p%40ss@/run/redis.sock?db=3')).toMatchObject({
      socket: '/run/redis.sock',
      username: 'user',
      password: 'p@ss',
      db: 3,
      shown: 'redis+unix:///run/redis.sock',
    })
    const path = '/a b/c?d%e/@f.sock'
    expect(parseRedisUrl(socketUrl(path))).toMatchObject({ socket: path })
  })

  it('names sentinels, the master they watch, and the passwords of both', () => {
    expect(parseRedisUrl('redis-sentinel://:pw@h1,h2:26380/mymaster?db=2&tls=true&sentinelPassword=spw')).toEqual({
      mode: 'sentinel',
      hosts: [
        { host: 'h1', port: 26379 },
        { host: 'h2', port: 26380 },
      ],
      tls: true,
      db: 2,
      password: 'pw',
      masterName: 'mymaster',
      sentinelPassword: 'spw',
      shown: 'redis-sentinel://h1,h2:26380/mymaster',
    })
  })

  it('names the nodes of a cluster', () => {
    expect(parseRedisUrl('redis-cluster://h1:7000,h2:7001')).toMatchObject({
      mode: 'cluster',
      hosts: [
        { host: 'h1', port: 7000 },
        { host: 'h2', port: 7001 },
      ],
    })
  })

  it('takes a password with unescaped separators for what it is', () => {
    expect(parseRedisUrl('redis://:a/b@c?d@host:1')).toMatchObject({ password: 'a/b@c?d', shown: 'redis://host:1' })
  })

  it.each([
    ['http://secret@host', 'none of the known forms'],
    ['redis://', 'none of the known forms'],
    ['redis://secret@h1,h2', 'takes one host'],
    ['redis://secret@host:port', 'name:port'],
    ['redis://secret@host/many', 'not a number'],
    ['redis://secret%@host', 'percent-encoded'],
    ['redis-sentinel://secret@h1:26379', 'name of the master'],
    ['redis-cluster://secret@h1:7000/2', 'neither a master name nor databases'],
    ['redis-cluster://secret@h1:7000?tls=yes', 'neither true nor false'],
    ['redis://secret@host?databse=2', 'unknown parameter "databse"'],
  ])('refuses %s without showing what is secret', (url, complaint) => {
    expect(() => parseRedisUrl(url)).toThrow(complaint)
    expect(() => parseRedisUrl(url)).not.toThrow('secret')
  })
})
