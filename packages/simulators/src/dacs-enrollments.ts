import { z } from 'zod'
import type { Operation } from './far-side.ts'
import { key, text } from './fields.ts'
import { demand, Refusal } from './refusal.ts'

const asset = z.strictObject({
  sequence: z.number().optional(),
  assetId: text(14),
  specification: text(30),
  assetType: text(30),
  badgeNo: text(60),
  serialNo: text(60),
  nicId: text(100),
  headEndSystem: text(50),
})

const assetInfo = z
  .strictObject({
    installationMethod: z.enum(['X1SD', 'X1SI', 'X1UI']).optional(),
    assetOwnership: z.enum(['W1CO', 'W1OW']).optional(),
    assetList: z.array(asset).optional(),
  })
  .superRefine(({ installationMethod, assetOwnership, assetList = [] }, context) => {
    // DACS makes the device out of such an enrollment, so nothing about it may be missing.
    if (installationMethod !== 'X1SI' || assetOwnership !== 'W1CO') return
    for (const [index, device] of assetList.entries()) {
      for (const name of ['specification', 'assetType', 'nicId', 'headEndSystem'] as const) {
        if (device[name]) continue
        context.addIssue({ code: 'custom', path: ['assetList', index, name], message: 'required for X1SI with W1CO' })
      }
    }
  })

const customerInfo = z
  .strictObject({
    cisPersonId: text(30),
    cisAccountId: text(30),
    name: text(254),
    homePhone: text(24),
    businessPhone: text(24),
    email: text(254),
  })
  .superRefine((customer, context) => {
    for (const name of ['cisPersonId', 'cisAccountId'] as const) {
      if (customer[name] || customer.name) continue
      context.addIssue({ code: 'custom', path: [name], message: 'required when there is no name' })
    }
  })

const locationInfo = z
  .strictObject({
    division: text(5),
    cisPremiseId: text(60),
    cisServicePointId: text(60),
    timeZone: text(10),
    address1: text(254),
    address2: text(254),
    address3: text(254),
    address4: text(254),
    city: text(90),
    country: text(3),
    county: text(90),
    state: text(6),
    postal: text(12),
  })
  .refine(({ cisPremiseId, address1 }) => cisPremiseId || address1, {
    path: ['cisPremiseId'],
    message: 'required when there is no address',
  })

const enrollment = z.strictObject({
  transactionId: key(120),
  enrollmentSource: z.enum(['X1BY', 'X1CC', 'X1SS']),
  customerInfo: customerInfo.optional(),
  programInfo: z.strictObject({
    cisServiceAgreementId: text(30),
    programCode: key(120),
    startDate: z.iso.date().optional(),
  }),
  locationInfo: locationInfo.optional(),
  assetInfo: assetInfo.optional(),
})

export type Enrollment = z.infer<typeof enrollment> & { readonly enrollmentId: string; readonly status: 'PENDING' }

/** What is set up in this DACS; anything else is refused with 400. */
export interface Catalogue {
  readonly programs: ReadonlySet<string>
  readonly specifications: ReadonlySet<string>
  readonly assetTypes: ReadonlySet<string>
}

/** The message that DACS raises for a transaction id it already has. */
const duplicateEnrollment = 10589

/** F1: enrollments by transaction id. */
export function createEnrollments(catalogue: Catalogue, withRoot: boolean) {
  const entries = new Map<string, Enrollment>()

  const enrollProgram: Operation = {
    name: 'enrollProgram',
    method: 'POST',
    path: '/cross/digitalAssets/programEnrollments/enroll',
    accepts: 'json',
    handle({ body }) {
      const request = demand(enrollment, body)
      if (entries.has(request.transactionId)) {
        const detail = `Enrollment with transaction id ${request.transactionId} already exists`
        throw new Refusal(400, 'Enrollment request already exists', detail, duplicateEnrollment)
      }
      demandKnown('Program code', catalogue.programs, request.programInfo.programCode)
      for (const { specification, assetType } of request.assetInfo?.assetList ?? []) {
        demandKnown('Specification', catalogue.specifications, specification)
        demandKnown('Asset type', catalogue.assetTypes, assetType)
      }
      const enrollmentId = String(48_213_377_560_192 + entries.size)
      const entry: Enrollment = { ...request, enrollmentId, status: 'PENDING' }
      entries.set(request.transactionId, entry)
      return { status: 200, body: withRoot ? { 'X1-DAEnroll': entry } : entry, applied: true }
    },
  }
  return { entries, operations: [enrollProgram] }
}

function demandKnown(what: string, known: ReadonlySet<string>, value: string | undefined): void {
  if (!value || known.has(value)) return
  throw new Refusal(400, `${what} is not valid`, `${what} ${value} is not valid`)
}
