import t from 'tap'
import { createCoverageRecord } from '../../src/agent/coverage-record.js'
import { ABANDONED_MS } from '../../src/cluster/leases.js'
import { createHandClock } from '../kube/hand-clock.js'

const HANDOVER_MS = 15_000
const PATIENCE_MS = 30_000
const KEY = 'meshtoll/meshtoll-n1'

/** `kept`: what the process before wrote. `doubtMs`: by so much the clock was set of late. */
function setUp(kept?: string, doubtMs = 0) {
  const settings = { doubtMs: () => doubtMs, mark: () => undefined, resume: () => undefined, byNow: () => (ms: number) => ms }
  const clock = { ...createHandClock(), settings }
  const files = new Map(kept === undefined ? [] : [['coverage', kept]])
  const disk = {
    read: async (path: string) => (files.has(path) ? Buffer.from(files.get(path) ?? '') : undefined),
    replace: async (path: string, data: Iterable<string>) => void files.set(path, [...data].join('')),
  }
  const record = createCoverageRecord({ node: 'n1', handoverMs: HANDOVER_MS, patienceMs: PATIENCE_MS }, { clock, disk })
  record.place(true)
  return { clock, record, kept: () => files.get('coverage') }
}

t.test('a new node: it joins, until all have heard of it', async (t) => {
  const { clock, record, kept } = setUp()
  await record.load(clock.now())
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
    await record.load(clock.now())
    t.equal(record.standing(), at, name)
    clock.advance(PATIENCE_MS)
    t.equal(record.standing(), later, `${name}, and nothing is waited for for ever`)
  }
})

t.test('nobody can be heard, after a time in which others may have ended its Lease', async (t) => {
  const { clock, record, kept } = setUp('n1\n')
  await record.load(clock.now() - ABANDONED_MS)
  t.equal(record.standing(), 'unknown')
  t.equal(kept(), '', 'nor does the next process take it for granted')
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS })
  record.synced()
  t.equal(record.standing(), 'yes', 'they have not')

  const unknown = setUp('n1\n')
  await unknown.record.load(undefined)
  t.equal(unknown.record.standing(), 'unknown', 'a state that was lost does not say how long it was')

  const shorter = setUp('n1\n')
  await shorter.record.load(shorter.clock.now() - ABANDONED_MS + 1)
  t.equal(shorter.record.standing(), 'yes')
})

t.test('after a restart: a Lease that all have known for long', async (t) => {
  const { clock, record } = setUp()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS })
  record.synced()
  t.equal(record.standing(), 'yes')
})

t.test('after a restart, while nobody can say what time it is: the Lease that all knew of', async (t) => {
  const HOUR_MS = 3_600_000
  const before = setUp(undefined, HOUR_MS)
  const lease = { node: 'n1', sinceMs: before.clock.now(), uid: 'lease-1' }
  before.record.put(KEY, lease)
  before.record.synced()
  before.record.standing()
  t.equal(before.kept(), undefined)
  before.clock.advance(HANDOVER_MS)
  t.equal(before.record.standing(), 'yes')
  const cases = [
    { name: 'the same', kept: before.kept(), uid: 'lease-1', awayMs: 0, told: 'yes' },
    {
      name: 'and no agent ran for so long that others might have ended it',
      kept: before.kept(),
      uid: 'lease-1',
      awayMs: ABANDONED_MS,
      told: 'yes',
    },
    { name: 'another one', kept: before.kept(), uid: 'lease-2', awayMs: 0, told: 'joining' },
    { name: 'one that only was said to some', kept: '', uid: 'lease-1', awayMs: 0, told: 'joining' },
    { name: 'of another node', kept: 'n2 lease-1\n', uid: 'lease-1', awayMs: 0, told: 'joining' },
    { name: 'as an earlier version kept it', kept: 'n1\n', uid: 'lease-1', awayMs: 0, told: 'joining' },
  ]
  for (const { name, kept, uid, awayMs, told } of cases) {
    const { clock, record } = setUp(kept, HOUR_MS)
    await record.load(clock.now() - awayMs)
    record.put(KEY, { ...lease, uid })
    record.synced()
    t.equal(record.standing(), told, name)
    clock.advance(HANDOVER_MS)
    t.equal(record.standing(), 'yes', name)
  }
  const { clock, record, kept } = setUp(before.kept(), HOUR_MS)
  await record.load(clock.now())
  record.place(false)
  t.equal(kept(), '', "another machine's Node")
  record.place(true)
  record.put(KEY, lease)
  record.synced()
  t.equal(record.standing(), 'joining', 'whoever wrote that Lease meanwhile')
})

t.test('a Lease that was made anew says the same time by a clock that was set back, and is another one', async (t) => {
  const { clock, record } = setUp(undefined, 3_600_000)
  const lease = { node: 'n1', sinceMs: clock.now() }
  record.put(KEY, { ...lease, uid: 'lease-1' })
  record.synced()
  clock.advance(HANDOVER_MS)
  record.put(KEY, { ...lease, uid: 'lease-1' })
  t.equal(record.standing(), 'yes', 'told again')
  record.put(KEY, { ...lease, uid: 'lease-2' })
  t.equal(record.standing(), 'joining')
})

t.test('a Lease of the future is one of now', async (t) => {
  const { clock, record } = setUp()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() + 3_600_000 })
  record.synced()
  clock.advance(HANDOVER_MS)
  t.equal(record.standing(), 'yes')
})

t.test('a clock that is set neither ends the wait nor makes it longer', async (t) => {
  for (const ms of [3_600_000, -3_600_000]) {
    const { clock, record } = setUp()
    record.put(KEY, { node: 'n1', sinceMs: clock.now() })
    record.synced()
    clock.set(ms)
    clock.advance(HANDOVER_MS - 1)
    record.put(KEY, { node: 'n1', sinceMs: clock.now() - ms - HANDOVER_MS + 1 })
    t.equal(record.standing(), 'joining', `${ms}`)
    clock.advance(1)
    t.equal(record.standing(), 'yes', `${ms}`)
  }
})

t.test('who loses its Lease, or gives it up, joins anew or not at all', async (t) => {
  const { clock, record, kept } = setUp('n1\n')
  await record.load(clock.now())
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

t.test('whose Node it is', async (t) => {
  const own = { node: 'n1', sinceMs: 0 }
  const cases = [
    { name: 'ours', isHere: true, kept: undefined, standing: 'yes', isMissing: false, keeps: 'n1\n' },
    { name: 'not known yet', isHere: undefined, kept: undefined, standing: 'unknown', isMissing: false, keeps: undefined },
    { name: 'not known yet, but it covered before', isHere: undefined, kept: 'n1\n', standing: 'yes', isMissing: false, keeps: 'n1\n' },
    { name: "another machine's", isHere: false, kept: 'n1\n', standing: 'elsewhere', isMissing: false, keeps: '' },
  ] as const
  for (const { name, isHere, kept, standing, isMissing, keeps } of cases) {
    const { clock, record, kept: keptNow } = setUp(kept)
    await record.load(clock.now())
    record.place(isHere)
    record.synced()
    t.equal(record.isMissing, isHere === true, `${name}: who has no Lease makes one, where it is its own`)
    record.put(KEY, own)
    t.same([record.standing(), record.isMissing, keptNow()], [standing, isMissing, keeps], name)
  }
})

t.test('a Lease of a Node of the same name that was deleted', async (t) => {
  const { clock, record } = setUp()
  record.put(KEY, { node: 'n1', sinceMs: clock.now() - HANDOVER_MS, nodeUid: 'u1' })
  record.put('meshtoll/meshtoll-n2', { node: 'n2', sinceMs: clock.now(), nodeUid: 'u2' })
  record.synced()
  t.same([record.isOfAnother('u1'), record.isOfAnother('u9')], [false, true])
  record.renounce()
  t.same([record.standing(), record.isMissing, record.covering], ['joining', true, ['n2']])
  record.put(KEY, { node: 'n1', sinceMs: clock.now() })
  t.equal(record.isOfAnother('u9'), false, 'an owner that nobody has told of is none')
  const other = setUp().record
  other.place(false)
  other.put(KEY, { node: 'n1', sinceMs: clock.now(), nodeUid: 'u1' })
  t.notOk(other.isOfAnother('u9'), "another machine's is not ours to mend")
})
