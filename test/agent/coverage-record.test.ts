import t from 'tap'
import { createCoverageRecord } from '../../src/agent/coverage-record.js'
import { createHandClock } from '../kube/hand-clock.js'

const HANDOVER_MS = 15_000
const PATIENCE_MS = 30_000
const KEY = 'meshtoll/meshtoll-n1'

/** `kept`: what the process before wrote. */
function setUp(kept?: string) {
  const clock = createHandClock()
  const files = new Map(kept === undefined ? [] : [['coverage', kept]])
  const disk = {
    read: async (path: string) => (files.has(path) ? Buffer.from(files.get(path) ?? '') : undefined),
    replace: async (path: string, data: Iterable<string>) => void files.set(path, [...data].join('')),
  }
  const record = createCoverageRecord({ node: 'n1', handoverMs: HANDOVER_MS, patienceMs: PATIENCE_MS }, { clock, disk })
  return { clock, record, kept: () => files.get('coverage') }
}

t.test('a new node: it joins, until all have heard of it', async (t) => {
  const { clock, record, kept } = setUp()
  await record.load()
  t.equal(record.standing(), 'unknown', 'nobody was heard yet')
  t.same([record.isMissing, record.covering], [false, undefined])
  record.synced()
  t.same([record.isMissing, record.covering, record.standing()], [true, [], 'joining'])
  record.put(KEY, { node: 'n1', sinceMs: clock.now() })
  t.same([record.isMissing, record.covering], [false, ['n1']])
  clock.advance(HANDOVER_MS - 1)
  t.equal(record.standing(), 'joining')
  clock.advance(1)
  t.equal(record.standing(), 'yes')
  t.equal(kept(), 'n1\n', 'for the next process')
})

t.test('nobody can be heard', async (t) => {
  const cases = [
    { name: 'for the first time', kept: undefined, at: 'unknown', later: 'joining' },
    { name: 'it covered before', kept: 'n1\n', at: 'yes', later: 'yes' },
    { name: 'another node did, on this disk', kept: 'n2\n', at: 'unknown', later: 'joining' },
    { name: 'it had left', kept: '', at: 'unknown', later: 'joining' },
  ]
  for (const { name, kept, at, later } of cases) {
    const { clock, record } = setUp(kept)
    await record.load()
    t.equal(record.standing(), at, name)
    clock.advance(PATIENCE_MS)
    t.equal(record.standing(), later, `${name}, and nothing is waited for for ever`)
  }
})

t.test('after a restart: a Lease that all have known for long', async (t) => {
  const { clock, record } = setUp()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS })
  record.synced()
  t.equal(record.standing(), 'yes')
})

t.test('a Lease of the future is one of now', async (t) => {
  const { clock, record } = setUp()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() + 3_600_000 })
  record.synced()
  clock.advance(HANDOVER_MS)
  t.equal(record.standing(), 'yes')
})

t.test('who loses its Lease, or gives it up, joins anew or not at all', async (t) => {
  const { clock, record, kept } = setUp('n1\n')
  await record.load()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS })
  record.synced()
  t.equal(record.standing(), 'yes')
  record.remove(KEY)
  t.same([record.standing(), record.isMissing], ['joining', true])
  t.equal(kept(), '', 'the next process is not to believe it')
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS })
  await record.retire()
  t.same([record.standing(), record.isMissing], ['joining', false])
  record.remove(KEY)
  t.notOk(record.isMissing, 'nobody makes it again')
})
