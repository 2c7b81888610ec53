import type { DemoFarSides } from './far-sides.ts'
import type { World } from './world.ts'

export interface Scenario {
  readonly flow: string
  readonly what: string
  /** What must be seen, in words. */
  readonly expected: string
  /** What was seen; the scenario ended well when it is the same. */
  readonly run: (far: DemoFarSides, world: World) => Promise<string>
}
