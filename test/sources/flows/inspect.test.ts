import t from 'tap'
import { inspectTable, layoutOf, type TableFacts } from '../../../src/sources/flows/inspect.js'
import { digestOf, type Layout, planOf } from '../../../src/sources/flows/layout.js'
import { renderRuleMark } from '../../../src/sources/flows/marks.js'

const OPTIONS = { limit: 1024, tunnelPorts: [4789] }
const LAYOUT: Layout = { ...OPTIONS, generation: 7, mode: 'full', shards: 1 }
const SINCE_MS = 1_763_716_000_000
const INFO = { name: 'meshtoll', handle: 1, flags: 0, ownerPort: 0, comment: 'meshtoll layout=1 epoch=a1 created=1763716000' }

/** As the kernel would tell of a table that was just written. */
function factsOf(layout: Layout): TableFacts {
  const { chains } = planOf(layout)
  const mark = { ...layout, digest: digestOf(layout), sinceMs: SINCE_MS }
  const places = chains.flatMap(({ name, rules }) => rules.map(() => name))
  return {
    info: INFO,
    chains: chains.map(({ name, base }) =>
      base ? { name, type: 'filter', hook: base.hook === 'input' ? 1 : 4, priority: base.priority } : { name, type: '' },
    ),
    rules: places.map((chain, index) => ({ chain, handle: index, comment: renderRuleMark(mark, index + 1, places.length) })),
  }
}

t.test('what a table is found to be', async (t) => {
  const facts = factsOf(LAYOUT)
  const [first, ...others] = facts.chains
  const cases: { name: string; facts: TableFacts; state: string }[] = [
    { name: 'as we write it', facts, state: 'intact' },
    { name: 'in sixteen sets', facts: factsOf({ ...LAYOUT, shards: 16 }), state: 'intact' },
    { name: 'there is none', facts: { info: undefined, chains: [], rules: [] }, state: 'absent' },
    { name: 'without our comment', facts: { ...facts, info: { ...INFO, comment: '' } }, state: 'foreign' },
    { name: 'with other options', facts: factsOf({ ...LAYOUT, limit: 64 }), state: 'outdated' },
    { name: 'a rule is missing', facts: { ...facts, rules: facts.rules.slice(1) }, state: 'broken' },
    { name: 'no rule is left', facts: { ...facts, rules: [] }, state: 'broken' },
    { name: 'asleep', facts: { ...facts, info: { ...INFO, flags: 1 } }, state: 'broken' },
    { name: 'a chain too many', facts: { ...facts, chains: [...facts.chains, { name: 'more', type: '' }] }, state: 'broken' },
    {
      name: 'a chain at another hook',
      facts: { ...facts, chains: [{ ...first, name: 'post', type: 'filter', hook: 3 }, ...others] },
      state: 'broken',
    },
    {
      name: 'of another layout',
      facts: { ...facts, info: { ...INFO, comment: INFO.comment.replace('=1', '=9') }, rules: [] },
      state: 'other layout',
    },
    {
      name: 'made by another layout, and migrated',
      facts: { ...facts, info: { ...INFO, comment: INFO.comment.replace('=1', '=0') } },
      state: 'intact',
    },
  ]
  for (const { name, facts, state } of cases) t.equal(inspectTable(facts, OPTIONS).state, state, name)
})

t.test('what is known of it is told', async (t) => {
  const found = inspectTable(factsOf(LAYOUT), OPTIONS)
  t.match(found, { mark: { layout: 1, epoch: 'a1' }, rules: { generation: 7, mode: 'full', shards: 1, sinceMs: SINCE_MS }, info: INFO })
  t.same('rules' in found && found.rules ? layoutOf(found.rules, OPTIONS) : undefined, LAYOUT)
})
