import { expect, it } from 'vitest'
import { createPause, type Pause } from '../src/pause.ts'

function setup() {
  let now = 1_000
  let announced = 0
  const pause = createPause({
    pauseMs: 60_000,
    clock: () => now,
    onPause: () => {
      announced += 1
    },
  })
  return {
    pause,
    pass: (ms: number) => {
      now += ms
    },
    announced: () => announced,
  }
}

function go(pause: Pause) {
  const admission = pause.enter()
  if (admission.kind !== 'go') throw new Error('should have been let in')
  return admission
}

it('lets everything pass until credentials are refused', () => {
  const { pause } = setup()
  go(pause).leave('accepted')
  go(pause).leave('nothing')
  expect(pause.enter().kind).toBe('go')
})

it('holds calls back for the rest of the pause', () => {
  const { pause, pass } = setup()
  go(pause).leave('refused')
  expect(pause.enter()).toEqual({ kind: 'paused', waitMs: 60_000 })
  pass(45_000)
  expect(pause.enter()).toEqual({ kind: 'paused', waitMs: 15_000 })
})

it('lets exactly one probe pass, and everything once it is accepted', () => {
  const { pause, pass } = setup()
  go(pause).leave('refused')
  pass(60_000)
  const probe = go(pause)
  expect(pause.enter()).toEqual({ kind: 'paused', waitMs: 1_000 })
  probe.leave('accepted')
  go(pause)
  go(pause)
})

it('pauses again when the probe is refused', () => {
  const { pause, pass, announced } = setup()
  go(pause).leave('refused')
  pass(60_000)
  go(pause).leave('refused')
  expect(pause.enter()).toEqual({ kind: 'paused', waitMs: 60_000 })
  expect(announced()).toBe(2)
})

it('sends the next probe at once when one learned nothing', () => {
  const { pause, pass } = setup()
  go(pause).leave('refused')
  pass(60_000)
  go(pause).leave('nothing')
  go(pause)
  expect(pause.enter().kind).toBe('paused')
})

it('is not opened by a call that was under way before, and is announced once', () => {
  const { pause, announced } = setup()
  const calls = [go(pause), go(pause), go(pause)]
  calls[0]?.leave('refused')
  calls[1]?.leave('refused')
  calls[2]?.leave('accepted')
  expect(pause.enter().kind).toBe('paused')
  expect(announced()).toBe(1)
})
