import { createPlan } from '@tieline/tools/chaos/plan'
import { describe, expect, it } from 'vitest'

describe('the plan of a chaos run', () => {
  it('is the same for the same seed, and another for another', () => {
    const planned = (of: number) => JSON.stringify(createPlan(of, 1))
    expect(planned(57)).toBe(planned(57))
    expect(planned(57)).not.toBe(planned(58))
  })
})
