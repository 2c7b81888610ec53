import { expect, test } from 'vitest'
import { brokenCitations } from '../src/doc-links.ts'

const faultsOf = (text: string) => brokenCitations('some.ts', text)

test('a citation of a document and of one of its headings is accepted, also over two lines of a comment', async () => {
  expect(
    await faultsOf('// See (docs/wire-facts.md, F7), (docs/runbook.md), (docs/wire-facts.md, Endpoints of\n * DACS).'),
  ).toEqual([])
})

test('a citation of a document or a heading that is not there is refused', async () => {
  expect(await faultsOf('(docs/nowhere.md) (docs/wire-facts.md, F77)')).toEqual([
    'some.ts: nothing is there that (docs/nowhere.md) cites',
    'some.ts: nothing is there that (docs/wire-facts.md, F77) cites',
  ])
})
