import type { Notice } from '@tieline/contracts/notice'

/** A notice as the stage status flow makes it. */
export const sampleNotice = (more: Partial<Notice> = {}): Notice => ({
  kind: 'error',
  flow: 'stage-status',
  messageKey: 'stage-status.SITE1.STG-1315-1',
  code: 'target-error',
  summary: 'Program event (stage) status: DACS_MAIN: createProgramEvent answered 500.',
  connection: 'DACS_MAIN',
  httpStatus: 500,
  attempts: 7,
  occurredAt: '2024-09-01T17:00:02.345Z',
  next: 'DERMS is told FAILURE and sends it again.',
  ...more,
})
