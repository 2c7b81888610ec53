import { z } from 'zod'
import type { Auth } from './authenticator.ts'
import { createControl, obey } from './control-routes.ts'
import { type Communication, createCommunications } from './dacs-communications.ts'
import { createEnrollments, type Enrollment } from './dacs-enrollments.ts'
import { createHealth, type HealthStatus } from './dacs-health.ts'
import { createParticipations, type Participation } from './dacs-participations.ts'
import { dacsProblem } from './dacs-problem.ts'
import { createProgramEvents, type ProgramEvent } from './dacs-program-events.ts'
import { createDacsSender, type DacsFlow, type SentMessage } from './dacs-sender.ts'
import { createSyncRequests, type SyncRequest } from './dacs-sync-requests.ts'
import { createFarSide, type FarSide } from './far-side.ts'
import type { IngressAddress, IngressAnswer } from './ingress-caller.ts'
import { ingressSettings, toIngressAddress } from './ingress-settings.ts'
import { Refusal } from './refusal.ts'

export interface DacsOptions {
  readonly auth?: Auth | undefined
  /** What is set up in this DACS. Defaults: the samples of the documentation. */
  readonly programs?: readonly string[]
  readonly specifications?: readonly string[]
  readonly assetTypes?: readonly string[]
  /**
   * Take acknowledgments of sync requests and communications that this DACS never sent, and participations of program events
   * that it never made.
   */
  readonly acceptUnknown?: boolean
  /** Wrap the answers of F1, F5 and the lifecycle in their root elements. Default: yes. */
  readonly responseRoots?: boolean
  readonly ingress?: IngressAddress | undefined
  /** How long a message sender waits for the reply. Default: the documented 300 s. */
  readonly sendTimeoutMs?: number
}

export interface DacsSimulator extends FarSide {
  /** By transaction id. */
  readonly enrollments: ReadonlyMap<string, Enrollment>
  /** By external identifier, which is the stage id. */
  readonly programEvents: ReadonlyMap<string, ProgramEvent>
  /** By program event, head-end system and NIC, with blanks between. */
  readonly participations: ReadonlyMap<string, Participation>
  readonly syncRequests: ReadonlyMap<string, SyncRequest>
  readonly communications: ReadonlyMap<string, Communication>
  readonly sent: readonly SentMessage[]
  addProgram(code: string): void
  /** Makes an id known as if this DACS had sent it. */
  register(known: { syncRequestId: string } | { communicationId: string }): void
  /** Overall response of the health check; it is also its HTTP status. */
  setHealth(status: HealthStatus): void
  pointAt(ingress: IngressAddress): void
  /** Sends F2 (`{sendDetails: {syncRequestId, …}}`) or F4 (`{sendDetails: {communicationId, …}}`). Never rejects. */
  send(flow: DacsFlow, body: unknown): Promise<IngressAnswer>
  /** Sends a message again, byte for byte. @throws RangeError when it was never sent */
  resend(id: string): Promise<IngressAnswer>
}

/** Digital Asset Cloud Service as far as the integration touches it: state, validation and refusals as documented. */
export function createDacsSimulator(options: DacsOptions = {}): DacsSimulator {
  const withRoot = options.responseRoots ?? true
  const samples = {
    programs: options.programs ?? ['BYOT-SUMMER'],
    specifications: options.specifications ?? ['EST_G3_SPEC', 'ZZ_CTRL_DVC_THERM_SPEC22', 'EcoBee_E3'],
    assetTypes: options.assetTypes ?? ['SMART THERMOSTAT'],
  }
  const programs = new Set(samples.programs)
  const specifications = new Set(samples.specifications)
  const assetTypes = new Set(samples.assetTypes)

  const enrollments = createEnrollments({ programs, specifications, assetTypes }, withRoot)
  const syncRequests = createSyncRequests(options.acceptUnknown ?? false)
  const communications = createCommunications(options.acceptUnknown ?? false, withRoot)
  const programEvents = createProgramEvents(programs, withRoot)
  const participations = createParticipations((identifier) =>
    options.acceptUnknown ? identifier : programEvents.resolve(identifier),
  )
  const health = createHealth()
  const sender = createDacsSender({
    ingress: options.ingress,
    timeoutMs: options.sendTimeoutMs ?? 300_000,
    syncRequests,
    communications,
  })

  const controls: Omit<DacsSimulator, keyof FarSide> = {
    enrollments: enrollments.entries,
    programEvents: programEvents.entries,
    participations: participations.entries,
    syncRequests: syncRequests.entries,
    communications: communications.entries,
    sent: sender.sent,
    addProgram: (code) => void programs.add(code),
    register(known) {
      if ('syncRequestId' in known) syncRequests.register(known.syncRequestId)
      else communications.register(known.communicationId)
    },
    setHealth: health.set,
    pointAt: sender.pointAt,
    send: sender.send,
    resend: sender.resend,
  }

  const farSide = createFarSide({
    operations: [
      ...enrollments.operations,
      ...syncRequests.operations,
      ...communications.operations,
      ...programEvents.operations,
      ...participations.operations,
      ...health.operations,
    ],
    root: '/rest/apis',
    auth: options.auth,
    renderRefusal: dacsProblem,
    state: () => ({
      enrollments: [...enrollments.entries.values()],
      programEvents: [...programEvents.entries.values()],
      participations: [...participations.entries.values()],
      syncRequests: [...syncRequests.entries.values()],
      communications: [...communications.entries.values()],
      sent: sender.sent,
    }),
    resetState() {
      for (const store of [enrollments, programEvents, participations, syncRequests, communications])
        store.entries.clear()
      programs.clear()
      for (const code of samples.programs) programs.add(code)
      health.set(200)
      sender.reset()
    },
    control: createDacsControl(controls),
  })
  return { ...farSide, ...controls }
}

function createDacsControl(dacs: Omit<DacsSimulator, keyof FarSide>) {
  const control = createControl()
  const sending = z.strictObject({ flow: z.enum(['enrollment-sync', 'device-status-check']), body: z.unknown() })
  const known = z.union([
    z.strictObject({ syncRequestId: z.string().min(1) }),
    z.strictObject({ communicationId: z.string().min(1) }),
  ])
  const health = z.strictObject({ status: z.union([z.literal(200), z.literal(203), z.literal(500)]) })
  control.post('/send', (c) => obey(c, sending, ({ flow, body }) => dacs.send(flow, body)))
  control.post('/resend', (c) =>
    obey(c, z.strictObject({ id: z.string() }), ({ id }) => {
      if (!dacs.sent.some((message) => message.id === id)) throw new Refusal(400, 'Nothing to resend')
      return dacs.resend(id)
    }),
  )
  control.post('/register', (c) => obey(c, known, dacs.register))
  control.post('/programs', (c) =>
    obey(c, z.strictObject({ code: z.string().min(1) }), ({ code }) => dacs.addProgram(code)),
  )
  control.post('/health', (c) => obey(c, health, ({ status }) => dacs.setHealth(status)))
  control.post('/ingress', (c) => obey(c, ingressSettings, (settings) => dacs.pointAt(toIngressAddress(settings))))
  return control
}
