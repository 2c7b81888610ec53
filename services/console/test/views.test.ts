import type { MessageDetails } from '@tieline/journal/operations'
import { createLogger } from '@tieline/runtime/logger'
import { describe, expect, it } from 'vitest'
import { createAccess } from '../src/access.ts'
import { formatMessage } from '../src/message-view.ts'
import { formatRowSummary } from '../src/row-view.ts'
import { formatFields, formatTable } from '../src/table.ts'
import { formatAge, formatTime, parseSince } from '../src/times.ts'
import { cheapHash } from './harness.ts'

describe('tables', () => {
  it('are as wide as their cells, without blanks at the end of a line', () => {
    expect(
      formatTable(
        ['key', 'state'],
        [
          ['a', 'dead'],
          ['long', ''],
        ],
      ),
    ).toBe('key   state\na     dead\nlong')
    expect(formatFields({ id: 'm-1', line: undefined, code: '', attempts: 0 })).toBe('id        m-1\nattempts  0')
  })

  it('let no id of another system steer the terminal', () => {
    const id = '\u001B[2Jred\u202E\u2028'
    expect(formatTable(['id'], [[id]])).toBe('id\n\u{FFFD}[2Jred\u{FFFD}\u{FFFD}')
    expect(formatFields({ id })).not.toContain('\u001B')
  })
})

describe('times', () => {
  it('are told locally and in UTC', () => {
    expect(formatTime(Date.UTC(2026, 10, 21, 14, 3, 22, 500))).toMatch(
      /^2026-11-2\d \d\d:03:22 \(2026-11-21T14:03:22Z\)$/,
    )
  })

  it('are read as ages and as ISO 8601, and as nothing else', () => {
    const now = Date.UTC(2026, 10, 21)
    expect(parseSince('90s', now)).toBe(now - 90_000)
    expect(parseSince('2h', now)).toBe(now - 7_200_000)
    expect(parseSince('3d', now)).toBe(now - 259_200_000)
    expect(parseSince('2026-11-20T10:00:00Z', now)).toBe(Date.UTC(2026, 10, 20, 10))
    for (const text of ['', '2', 'h', '2w', '1.5h', 'yesterday', '2026-13-01', '7']) {
      expect(parseSince(text, now), text).toBeUndefined()
    }
  })

  it('ages are rounded down to a unit that says something', () => {
    const ages = [-5, 59_999, 60_000, 3_599_000, 47 * 3_600_000, 48 * 3_600_000].map(formatAge)
    expect(ages).toEqual(['0 s', '59 s', '1 min', '59 min', '47 h', '2 d'])
  })
})

it('a message is shown with what its code means and each call that it intended', () => {
  const at = Date.UTC(2026, 10, 21, 14)
  const shown = formatMessage({
    ...{ key: 'stage-status.SITE1.m-1', flow: 'stage-status', instance: 'SITE1', id: 'm-1', client: 'derms' },
    ...{ state: 'dead', stateAt: at, firstAcceptedAt: at, generation: 2, attempts: 3, outcome: 'FAILURE', seq: 1 },
    ...{
      code: 'target-forbidden',
      reason: 'DACS_MAIN: createProgramEvent answered 403',
      nextAt: undefined,
      line: 'SITE1.s-1',
      division: undefined,
      changed: true,
      connections: [],
    },
    timeline: [{ at, what: 'called', status: 403, connection: 'DACS_MAIN' }],
    effects: [
      {
        id: 'create',
        state: 'failed',
        operation: 'createProgramEvent',
        connection: 'DACS_MAIN',
        tries: 3,
        repeats: 0,
        status: 403,
        at,
      },
    ],
  })
  expect(shown).toMatch(/\nreason +DACS_MAIN: createProgramEvent answered 403\nmeaning +The target answered 403/)
  expect(shown).toContain('generation  2, payload-changed')
  expect(shown).toContain('called  status=403 connection=DACS_MAIN')
  expect(shown).toMatch(/create +failed +createProgramEvent +DACS_MAIN +3 +403/)
})

describe('the rows of a file', () => {
  const at = Date.UTC(2026, 10, 21, 14)
  const message: MessageDetails = {
    ...{ key: 'event-outcome.SITE1.m-1', flow: 'event-outcome', instance: 'SITE1', id: 'm-1', client: 'derms' },
    ...{ state: 'dead', stateAt: at, firstAcceptedAt: at, generation: 1, attempts: 1, outcome: 'FAILURE', seq: 1 },
    ...{
      code: 'file-unreadable',
      nextAt: undefined,
      line: undefined,
      division: undefined,
      changed: false,
      connections: [],
    },
    ...{ timeline: [], effects: [] },
  }
  const called = [
    { id: 'rows.1-200', state: 'confirmed', operation: 'o', connection: 'c', tries: 1, repeats: 0, at },
  ] as const
  const totals = { read: 400, confirmed: 399, refused: 1, unknown: 0, notSent: 0 }

  it.each([
    ['of an open message are not settled', { state: 'retrying' }, 'not settled; `messages show` counts its calls'],
    ['of a file that cannot be read went nowhere', {}, 'none went to DACS: the message ended as file-unreadable'],
    [
      'that went out before the file got lost are not counted',
      { code: 'payload-unreadable', effects: called },
      'not counted: the message ended as payload-unreadable; `messages show` counts its calls',
    ],
    ['that were counted are told', { rows: totals }, '400 read: 399 confirmed, 1 refused or left out'],
  ] as const)('%s', (_what, given, expected) => {
    const shown = formatRowSummary({ ...message, ...given }, { faults: [] })
    expect(shown).toContain(`rows     ${expected}`)
  })
})

it('a right password is remembered for a minute, a wrong one never helps', async () => {
  let now = 1_000
  const users = [{ name: 'ann', role: 'operator' as const, passwordHash: cheapHash('right') }]
  const logger = createLogger({ service: 'test', level: 'silent' })
  const access = createAccess({ users, logger, clock: () => now })
  expect(await access('ann', 'right')).toMatchObject({ name: 'ann', role: 'operator' })
  // Nobody can be verified any more, so only what is remembered lets somebody in.
  users[0] = { name: 'ann', role: 'operator', passwordHash: cheapHash('changed') }
  expect(await access('ann', 'right')).toMatchObject({ name: 'ann' })
  expect(await access('ann', 'wrong')).toBeUndefined()
  expect(await access('bob', 'right')).toBeUndefined()
  now += 60_001
  expect(await access('ann', 'right')).toBeUndefined()
})
