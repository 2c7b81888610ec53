import { beforeAll, describe, expect, test } from 'vitest'
import { mark } from './privacy/planted-messages.ts'
import { type Observed, observe, recipient, secrets } from './privacy/scenario.ts'
import { findSecrets } from './privacy/traces.ts'

describe('with a key', () => {
  let observed: Observed
  beforeAll(async () => {
    observed = await observe()
  })

  test('every end of every flow was met, and the far sides got what was planted', () => {
    const { messages, sent, after } = observed
    expect(new Set(messages.map(({ flow, state }) => `${flow} ${state}`))).toEqual(
      new Set([
        'enrollment-request succeeded',
        'enrollment-request refused',
        'enrollment-request dead',
        'enrollment-sync succeeded',
        'enrollment-sync refused',
        'enrollment-sync dead',
        'enrollment-sync-ack succeeded',
        'enrollment-sync-ack dead',
        'device-status-check succeeded',
        'device-status-check refused',
        'device-status-ack succeeded',
        'device-status-ack refused',
        'device-status-ack dead',
        'stage-status succeeded',
        'stage-status refused',
        'stage-status dead',
        'stage-status superseded',
        'event-reservation succeeded',
        'event-reservation dead',
        'event-outcome succeeded',
        'event-outcome dead',
        'acknowledgment dead',
        'acknowledgment resolved',
        'notification succeeded',
        'notification dead',
      ]),
    )
    const codes = [
      'contract-violation',
      'target-refused',
      'target-error',
      'target-reset',
      'outcome-unknown',
      'superseded',
      'file-unreadable',
      'rows-left-out',
      'ack-undelivered',
    ]
    expect(new Set(messages.map(({ code }) => code))).toEqual(new Set([...codes, 'mail-refused', undefined]))
    for (const what of [
      'name',
      'home-phone',
      'email@',
      'address',
      'person',
      'extra contact',
      'error text',
      'cancel reason',
      'nic',
      'head-end',
    ]) {
      expect(sent).toContain(`${mark}-${what}`)
    }
    expect(after.log.match(/Will retry|Settled|401|DACS_MAIN/g)?.length).toBeGreaterThan(50)
    expect(after.mails.length).toBeGreaterThan(10_000)
    expect(after.metrics.match(/^tieline_/gm)?.length).toBeGreaterThan(50)
    expect(after.spans.match(/attempt stage-status|createProgramEvent|target-refused/g)?.length).toBeGreaterThan(20)
    expect(after.board).toContain('"failedReason":"target-refused"')
  })

  test.each(['during', 'after'] as const)('nobody can read a planted value or a password anywhere (%s)', (when) => {
    expect(findSecrets(observed[when], secrets)).toEqual([])
  })

  test('who gets the e-mails is known to the lookups and the mail server alone', () => {
    const { log, metrics, spans, board, journal, redis } = observed.after
    expect(findSecrets({ log, metrics, spans, board, journal }, [recipient])).toEqual([])
    expect(findSecrets({ redis }, [recipient])).not.toEqual([])
  })

  test('payloads, replies and results are all sealed', () => {
    const { redis } = observed.during
    const sealed = /:journal:(?:[py]|db):\S+ "(.{7})|"reply":"(.{7})|\\"result\\":\\"(.{7})/g
    const heads = [...redis.matchAll(sealed)].map(([, ...groups]) => groups.join(''))
    expect(heads.length).toBeGreaterThan(60)
    expect(new Set(heads)).toEqual(new Set(['1.test.']))
  })
})

test('without a key the same search finds what is kept in clear: in Redis and the payload store, nowhere else', async () => {
  const { during, after } = await observe({ payloadKeys: [] })
  for (const { redis, files, ...others } of [during, after]) {
    expect(findSecrets({ redis }, [mark])).not.toEqual([])
    expect(findSecrets(others, secrets)).toEqual([])
    expect(others.log).toMatch(/"level":"warn".*TIELINE_PAYLOAD_KEYS/)
  }
  expect(findSecrets({ files: during.files }, [mark])).not.toEqual([])
})

test('the search finds a secret in any case and in base64 at any offset', () => {
  for (const text of [
    mark.toLowerCase(),
    btoa(`derms:${mark}-password`),
    btoa(`x${mark}`),
    btoa(`${mark}, and more`),
    JSON.stringify({ deep: [{ name: `${mark}-name` }] }),
  ]) {
    expect(findSecrets({ log: `something ${text} something` }, [mark])).toHaveLength(1)
  }
  expect(findSecrets({ log: 'plant' }, [mark])).toEqual([])
})
