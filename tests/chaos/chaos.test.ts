import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingOf } from '@tieline/tools/chaos/amounts'
import { createPlan } from '@tieline/tools/chaos/plan'
import { countsOf, judge, storyOf } from '@tieline/tools/chaos/report'
import { runChaos } from '@tieline/tools/chaos/run'
import { describe, expect, it } from 'vitest'

const seed = 57
const minutes = 1

describe('a chaos run', () => {
  it('keeps every property while processes are killed and stopped, targets fail, networks break, and callers repeat and change', async () => {
    const logFile = join(tmpdir(), `tieline-chaos-test-${process.pid}.log`)
    const { history } = await runChaos({ seed, minutes, logFile })
    const violations = judge(history).flatMap(({ property, violations: found }) =>
      found.map((violation) => `${property}\n${storyOf(violation, history)}`),
    )
    expect(violations, `seed ${seed}: ${countsOf(history)}; log ${logFile}`).toEqual([])
    // A run in which little happened would prove nothing.
    expect(missingOf(history)).toEqual([])
    // It is of use to nobody when all is well.
    await rm(logFile)
  }, 420_000)

  it('is asked for again by its seed', () => {
    const planned = (of: number) => JSON.stringify(createPlan(of, minutes))
    expect(planned(seed)).toBe(planned(seed))
    expect(planned(seed)).not.toBe(planned(seed + 1))
  })
})
