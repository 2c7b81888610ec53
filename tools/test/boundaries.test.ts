import { describe, expect, it } from 'vitest'
import { findBoundaryFaults, importsAgainst } from '../src/boundaries.ts'

describe('the direction of imports', () => {
  it('is kept by every part of the workspace', async () => {
    expect(await findBoundaryFaults()).toEqual([])
  })

  it.each([
    ["import { accept } from '@tieline/journal/intake'", ['journal']],
    ["import type { Row } from '@tieline/lookups/lookups'\nimport '@tieline/contracts/flows'", ['lookups']],
    ["const late = await import('@tieline/events/service')", ['events']],
    ["import { start } from '../../../services/events/src/service.ts'", ['events']],
    ["import { retry } from '@tieline/targets/pause'", []],
  ])('tells what goes against it: %s', (text, found) => {
    expect(importsAgainst(text, 'packages/targets', ['contracts', 'runtime'])).toEqual(found)
  })
})
