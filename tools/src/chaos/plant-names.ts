/** Environment variable that names a bug to plant. Only `service-program.ts` reads it. */
export const plantVariable = 'TIELINE_CHAOS_PLANT'

/** Bugs that a run must find, and the properties that each of them breaks. */
export const plantNames = {
  'confirm-failures': ['(2)', '(5)'],
  'send-confirmed-again': ['(3)'],
  'no-fencing': ['(4)'],
  'acknowledge-twice': ['(4)'],
  'no-lines': ['(6)'],
  'unknown-answers': ['(2)'],
  'forget-to-settle': ['(1)', '(7)'],
  deaf: ['(7)'],
} as const satisfies Record<string, readonly string[]>

export type PlantName = keyof typeof plantNames

export const isPlantName = (name: string): name is PlantName => Object.hasOwn(plantNames, name)
