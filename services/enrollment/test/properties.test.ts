import { dacsDeviceStatusResponse, deviceStatusAck } from '@tieline/contracts/messages/device-status-ack'
import { dermsStatusCheck, deviceStatusCheck } from '@tieline/contracts/messages/device-status-check'
import { dacsEnrollment, enrollmentRecord } from '@tieline/contracts/messages/enrollment-request'
import { dermsEnrollmentSync, enrollmentSync } from '@tieline/contracts/messages/enrollment-sync'
import {
  dacsUpdateSyncRequest,
  enrollmentSyncAck,
  enrollmentSyncAckDocument,
} from '@tieline/contracts/messages/enrollment-sync-ack'
import { msgAckDocument } from '@tieline/contracts/msg-ack'
import { createReading } from '@tieline/contracts/reading/reading'
import { fakeAttempt, fakeDeps } from '@tieline/testkit/fakes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { readInboundRecords } from '../src/inbound-records.ts'
import { toDacsDeviceStatus } from '../src/mappings/device-status-ack.ts'
import { toDermsStatusCheck } from '../src/mappings/device-status-check.ts'
import { toDacsEnrollment, toRecordResult } from '../src/mappings/enrollment-request.ts'
import { toDermsEnrollmentSync } from '../src/mappings/enrollment-sync.ts'
import { toDacsSyncUpdate } from '../src/mappings/enrollment-sync-ack.ts'
import { arbitraryOf } from './arbitrary-of.ts'
import { lookupsWith } from './lookups.ts'

const lookups = lookupsWith()

const tolerant = createReading(fakeDeps().installation.compat)

/**
 * Every message that its contract accepts is mapped, and what comes out keeps the target's contract as JSON. Read tolerantly it is
 * the same byte for byte.
 */
function sendsOnlyWhatIsAllowed<Contract extends z.ZodType>(
  contract: Contract,
  target: z.ZodType,
  map: (message: z.infer<Contract>) => unknown,
  document: z.ZodType = contract,
): void {
  fc.assert(
    fc.property(arbitraryOf(document), (message) => {
      const text = JSON.stringify(map(contract.parse(message)))
      const sent = JSON.parse(text)
      expect(target.parse(sent)).toEqual(sent)
      const read = tolerant(contract, message)
      expect('data' in read && JSON.stringify(map(read.data))).toBe(text)
      expect(read).not.toHaveProperty('lenient')
    }),
    { numRuns: 300 },
  )
}

describe('whatever a contract accepts is sent in a form that the target accepts', () => {
  test('enrollment request', () => {
    sendsOnlyWhatIsAllowed(enrollmentRecord, dacsEnrollment, (record) => toDacsEnrollment(record, lookups))
  })

  test('enrollment sync', () => {
    const known = { require: () => 'Active' }
    sendsOnlyWhatIsAllowed(enrollmentSync, dermsEnrollmentSync, (sync) => toDermsEnrollmentSync(sync, known))
  })

  test('enrollment sync acknowledgment', () => {
    const first = ({ responses }: z.infer<typeof enrollmentSyncAck>) =>
      responses.map((response) => toDacsSyncUpdate(response, lookups))[0]
    sendsOnlyWhatIsAllowed(enrollmentSyncAck, dacsUpdateSyncRequest, first, enrollmentSyncAckDocument)
  })

  test('device status check', () => {
    sendsOnlyWhatIsAllowed(deviceStatusCheck, dermsStatusCheck, toDermsStatusCheck)
  })

  test('device status acknowledgment', () => {
    sendsOnlyWhatIsAllowed(deviceStatusAck, dacsDeviceStatusResponse, toDacsDeviceStatus)
  })
})

describe('whatever comes is answered', () => {
  test('a list of any records has an entry for each, with its id as text', () => {
    const record = fc.oneof(arbitraryOf(enrollmentRecord), fc.jsonValue())
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (params) => {
        const { entries } = readInboundRecords(
          { params },
          fakeDeps().openReader(fakeAttempt('enrollment-request', {}).attempt),
        )
        expect(entries.map(({ id }) => typeof id)).toEqual(params.map(() => 'string'))
      }),
    )
  })

  test('any answer of DACS to an enrollment has a code that DERMS knows', () => {
    const response = msgAckDocument.shape.MsgAck.shape.responses.shape.response.element
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const { responseCode, value } = toRecordResult(body, lookups)
        expect(['SUCCESS', 'ERROR', 'FAILURE']).toContain(responseCode)
        expect(response.parse({ responseCode, value, responseTimeISO: '' }).value).toBe(value)
      }),
    )
  })
})
