import { eventually } from '@tieline/testkit/eventually'
import { billScenarios } from './bill-scenarios.ts'
import { messageScenarios } from './message-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { transferScenarios } from './transfer-scenarios.ts'

const mailed = ['F2', 'F6', 'F7', 'F8', 'F9']

/** Something real through every flow. */
export const scenarios: readonly Scenario[] = [
  ...messageScenarios,
  ...transferScenarios,
  ...billScenarios,
  {
    flow: 'F10 e-mails',
    what: 'the people who must know',
    expected: `mails about ${mailed.join(' and ')}`,
    async run(far) {
      const about = await eventually(async () => {
        const subjects = (await far.mails()).map(({ subject }) => subject)
        const flows = mailed.filter((flow) =>
          subjects.some((subject) => subject.includes(`: ${flow} `) || subject.includes(` ${flow} `)),
        )
        return flows.length === mailed.length ? flows : undefined
      })
      return `mails about ${about.join(' and ')}`
    },
  },
]
