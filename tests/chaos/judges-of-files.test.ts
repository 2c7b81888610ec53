import { flowIds } from '@tieline/contracts/flows'
import { missingOf } from '@tieline/tools/chaos/amounts'
import type { History, Judge } from '@tieline/tools/chaos/history'
import { acknowledgmentsAgree, noSuccessBeforeAllRows } from '@tieline/tools/chaos/judge-acknowledgments'
import { noEffectIsLost } from '@tieline/tools/chaos/judge-effects'
import { everyMessageEnds } from '@tieline/tools/chaos/judge-endings'
import { noneIsAppliedTwice } from '@tieline/tools/chaos/judge-repeats'
import { judge } from '@tieline/tools/chaos/report'
import { describe, expect, it } from 'vitest'
import {
  ackTimeline,
  callAck,
  callRows,
  callScore,
  doubtedFile,
  goodFiles,
  recordedAck,
  recordedFile,
  recordedTransfer,
  transferKey,
} from './file-histories.ts'

const found = (one: Judge, planted: Partial<History>) => one({ ...goodFiles, ...planted }).map(({ what }) => what)

describe('the amounts of a run', () => {
  it('are missing in a run in which little happened', () => {
    const lost = { ...callRows(1, 10), answered: 'dropped' as const }
    const killed = (process: string) => Array(10).fill({ at: 1, what: `SIGKILL ${process}, down for 5 ms` })
    const faults = [...killed('events-1'), ...killed('ingress'), ...killed('redis')]
    const missing = (history: History) => missingOf(history).map(({ what }) => what)
    expect(missing(goodFiles)).toEqual(
      expect.arrayContaining([
        'messages',
        'workers killed',
        'ingress killed',
        'Redis killed',
        'answers lost after applying',
      ]),
    )
    expect(missing({ ...goodFiles, faults, dacs: Array(50).fill(lost) })).toEqual([
      'messages',
      ...flowIds.filter((flow) => flow !== 'notification').map((flow) => `of ${flow}`),
    ])
  })
})

describe('the judges of files', () => {
  it('find nothing in a history in which every property holds', () => {
    expect(judge(goodFiles).flatMap(({ violations }) => violations)).toEqual([])
  })

  it('see a row that is called confirmed and never reached DACS', () => {
    expect(found(noEffectIsLost, { dacs: [callRows(1, 10), callRows(11, 11)] })).toEqual([
      'the journal says succeeded, and never applied: reserveDevice RSV-7-12 (2024-09-01T20:00:00Z)',
    ])
  })

  it('see a score file that is called sent and was never taken, one that is gone, and one that waits', () => {
    expect(found(noEffectIsLost, { derms: [callAck('SUCCESS', 1_250)] })).toEqual([
      expect.stringContaining('is called sent, and DERMS never took it'),
    ])
    expect(found(noEffectIsLost, { found: [] })).toEqual([expect.stringContaining('is there 0 times')])
    const waits = { transfer: transferKey, name: 'a.csv', sha256: 'f00' }
    expect(found(everyMessageEnds, { found: [waits] })).toEqual(['the score file a.csv still waits'])
  })

  it('see rows that were sent again more often than the journal knows', () => {
    const again = { dacs: [callRows(1, 10, { answered: 'dropped' }), callRows(1, 10), callRows(11, 12)] }
    expect(found(noneIsAppliedTwice, again)).toEqual([
      '2 calls of reserveDevice RSV-7-1, and the journal knows of 1',
      '1 repeats of reserveDevice RSV-7-1, and the journal doubted 0',
    ])
    expect(found(noneIsAppliedTwice, { ...again, messages: [doubtedFile(), recordedAck(), recordedTransfer] })).toEqual(
      [],
    )
  })

  it('see a score file that was sent again without a doubt', () => {
    const derms = [callAck('SUCCESS', 1_250), callScore, { ...callScore, at: 1_300 }]
    expect(found(noneIsAppliedTwice, { derms })).toEqual([
      'call 2 of deviceScore a.csv f00 without a journaled doubt about the one before',
    ])
  })

  it('see a call that no message means to have', () => {
    const strange = { ...callRows(1, 1), body: { deviceList: [{ nicId: 'RSV-8-1' }] } }
    expect(found(noneIsAppliedTwice, { dacs: [...goodFiles.dacs, strange] })).toEqual([
      'reserveDevice RSV-8-1, which no message means to have',
    ])
  })

  it('see an acknowledgment that says another word than the journal', () => {
    expect(found(acknowledgmentsAgree, { messages: [recordedFile(), recordedAck('ERROR'), recordedTransfer] })).toEqual(
      expect.arrayContaining(['it ended SUCCESS, and its acknowledgments say ERROR']),
    )
    expect(found(acknowledgmentsAgree, { derms: [callAck('ERROR', 1_250)] })).toEqual([
      'DERMS was told eventReservationAck RSV-7 then, and no file ended so',
    ])
  })

  it('see an acknowledgment that was sent twice without a doubt, and let one pass that its sender asked for', () => {
    const derms = [callAck('SUCCESS', 1_250), callAck('SUCCESS', 1_500)]
    expect(found(acknowledgmentsAgree, { derms })).toEqual([
      'call 2 of eventReservationAck RSV-7 then without a journaled doubt about the one before',
    ])
    const asked = recordedAck('SUCCESS', { timeline: [...ackTimeline, { at: 1_400, what: 'accepted', generation: 2 }] })
    expect(found(acknowledgmentsAgree, { derms, messages: [recordedFile(), asked, recordedTransfer] })).toEqual([])
  })

  it('see an acknowledgment that goes on although it was withdrawn', () => {
    const doubt = { at: 1_260, what: 'called', effect: 'acknowledge', state: 'unknown' }
    const timeline = [...ackTimeline.slice(0, 2), { at: 1_240, what: 'superseded' }, doubt, { ...doubt, at: 1_310 }]
    const messages = [recordedFile(), recordedAck('SUCCESS', { timeline }), recordedTransfer]
    const onItsWay = callAck('SUCCESS', 1_250)
    expect(found(acknowledgmentsAgree, { messages, derms: [onItsWay] })).toEqual([])
    expect(found(acknowledgmentsAgree, { messages, derms: [onItsWay, callAck('SUCCESS', 1_300)] })).toEqual([
      'eventReservationAck RSV-7 then was sent although it was withdrawn',
    ])
  })

  it('see a SUCCESS that came before all rows were confirmed, and let a failure pass', () => {
    const late = { dacs: [callRows(1, 10), callRows(11, 12, { at: 1_260 })] }
    expect(found(noSuccessBeforeAllRows, late)).toEqual([
      'DERMS was told SUCCESS of RSV-7 before all rows were confirmed',
    ])
    const lost = { dacs: [callRows(1, 10, { answered: 'dropped' }), callRows(11, 12)] }
    expect(found(noSuccessBeforeAllRows, lost)).toHaveLength(1)
    expect(found(noSuccessBeforeAllRows, { ...lost, derms: [callAck('FAILURE', 1_250)] })).toEqual([])
  })
})
