import { expect, test } from 'vitest'
import { unexplainedWaits } from '../src/test-waits.ts'

test('a wait for time is refused unless the line above says why', () => {
  const wait = ['setTimeout', '(resolve, 50)'].join('')
  expect(unexplainedWaits(`start()\n${wait}\n`)).toEqual([2])
  expect(unexplainedWaits(`// The guarantee is about a time that has passed.\n${wait}\n`)).toEqual([])
})
