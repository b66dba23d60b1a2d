import t from 'tap'
import { LEASE_MS, RENEW_MS } from '../../src/directory/election.js'
import { type Candidate, createRandom, createWorld, type Net, type World } from './candidates.js'

/** Whoever has it not looks every 4.4 s at least: after this time it has seen the last change, and waited. */
const TAKEN_MS = LEASE_MS + 5_000

async function startHeld(names: readonly string[], skews: readonly number[] = []) {
  const world = createWorld()
  const all = names.map((name, index) => world.start(name, { skewMs: skews[index] ?? 0 }))
  await world.run(TAKEN_MS)
  const holder = all.find(({ holds }) => holds) as Candidate
  return { world, all, holder, others: all.filter((one) => one !== holder) }
}

t.test('alone', async (t) => {
  const world = createWorld()
  const one = world.start('one')
  t.same(await world.run(LEASE_MS - 100), [], 'somebody may have had the Lease that was removed')
  t.same(await world.run(TAKEN_MS), ['one'])
  t.match(world.lease, { holder: 'one', transitions: 0 })
  t.equal(one.trouble, '')
  const { writes } = world
  t.same(await world.run(60_000), ['one'])
  t.equal(world.writes - writes, 30, 'it is renewed every 2 s, by one request')
  t.equal(one.terms, 1)
})

t.test('of three one has it, and whoever outlives it has it next', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two', 'three'])
  t.same(await world.run(120_000), [holder.name])
  holder.kill()
  t.same(await world.run(RENEW_MS), [], 'a dead one holds nothing')
  const [next] = await world.run(TAKEN_MS - RENEW_MS)
  t.ok(
    others.some(({ name }) => name === next),
    `${next} has it 20 s later`,
  )
  t.match(world.lease, { holder: next, transitions: 1 })
})

t.test('whatever their clocks show', async (t) => {
  const { world, holder } = await startHeld(['one', 'two', 'three'], [-86_400_000, 3_600_000, 0])
  t.same(await world.run(120_000), [holder.name])
  holder.kill()
  t.equal((await world.run(TAKEN_MS)).length, 1)
})

t.test('a holder that is paused', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two'])
  holder.isPaused = true
  t.same(await world.run(TAKEN_MS), [holder.name, others[0]?.name])
  holder.isPaused = false
  t.notOk(holder.holds, 'it does not hold when it wakes, before it has asked anybody')
  t.same(await world.run(30_000), [others[0]?.name])
  t.match(holder, { isInTerm: false, terms: 1 })
  t.match(holder.log.at(-1), 'info another replica has the Lease')
})

t.test('a short pause', async (t) => {
  const { world, holder } = await startHeld(['one', 'two'])
  holder.isPaused = true
  await world.run(7_000)
  holder.isPaused = false
  t.same(await world.run(30_000), [holder.name])
  t.equal(holder.terms, 1)
})

t.test('the API server is away for all', async (t) => {
  const { world, all, holder } = await startHeld(['one', 'two'])
  const cutFor = async (ms: number): Promise<void> => {
    for (const one of all) one.net = 'cut'
    await world.run(ms)
  }
  await cutFor(7_000)
  t.ok(holder.holds, 'for 7 s')
  await cutFor(5_000)
  t.notOk(holder.holds, 'for 12 s')
  t.match(holder, { trouble: 'ECONNREFUSED', isInTerm: true })
  t.equal(holder.log.filter((line) => line.includes('ECONNREFUSED')).length, 1, 'it is said once')
  for (const one of all) one.net = 'up'
  t.same(await world.run(30_000), [holder.name])
  t.match(holder, { terms: 1, trouble: '' }, 'nobody had it meanwhile: it goes on')
})

t.test('the holder alone is cut off', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two'])
  holder.net = 'cut'
  await world.run(RENEW_MS)
  t.notOk(holder.holds)
  t.same(await world.run(TAKEN_MS - RENEW_MS), [others[0]?.name])
  t.ok(holder.isInTerm, 'it does not know yet')
  holder.net = 'up'
  await world.run(5_000)
  t.notOk(holder.isInTerm)
  others[0]?.kill()
  t.same(await world.run(TAKEN_MS), [holder.name])
  t.equal(holder.terms, 2, 'it counts anew')
})

t.test('answers are late', async (t) => {
  const { world, holder } = await startHeld(['one'])
  holder.net = 'late'
  const { writes } = world
  while (world.writes === writes) await world.run(50)
  holder.net = 'cut'
  await world.run(5_000)
  t.ok(holder.holds)
  await world.run(RENEW_MS - 5_000)
  t.match(holder, { trouble: 'ECONNREFUSED', holds: false }, 'it held from when it asked')
})

t.test('a request hangs', async (t) => {
  const { world, holder } = await startHeld(['one', 'two'])
  holder.net = 'hung'
  await world.run(3_000)
  holder.net = 'up'
  while (holder.holds && holder.trouble === '') await world.run(50)
  await world.run(5_000)
  t.match(holder, { holds: true, trouble: '', terms: 1 }, 'it is given up in time')
})

t.test('the Lease is removed while its holder is cut off', async (t) => {
  const { world, holder } = await startHeld(['one'])
  holder.net = 'cut'
  await world.run(RENEW_MS + 1_000)
  world.removeLease()
  holder.net = 'up'
  t.same(await world.run(10_000), [], 'somebody else may have had one meanwhile')
  t.same(await world.run(TAKEN_MS), ['one'])
  t.equal(holder.terms, 2)
})

t.test('answers are lost', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two'])
  holder.net = 'deaf'
  await world.run(RENEW_MS)
  t.notOk(holder.holds, 'it cannot know that it was renewed')
  t.same(await world.run(60_000), [], 'as long as it is, nobody else has it')
  holder.net = 'up'
  t.same(await world.run(5_000), [holder.name])
  t.equal(holder.terms, 1)
  t.match(others[0], { terms: 0 })
})

t.test('it is taken by a write whose answer is lost', async (t) => {
  const world = createWorld()
  const one = world.start('one')
  one.net = 'deaf'
  await world.run(60_000)
  t.match(one, { holds: false, terms: 0 })
  one.net = 'up'
  t.same(await world.run(5_000), [], 'it cannot tell since when it is its own')
  t.same(await world.run(TAKEN_MS), ['one'])
  t.equal(one.terms, 1)
})

t.test('the Lease is removed', async (t) => {
  const { world, all, holder } = await startHeld(['one', 'two', 'three'])
  for (let time = 0; time < 8; time++) {
    world.removeLease()
    await world.run(10_000)
    const isKept = all.some(({ holds }) => holds)
    t.equal((await world.run(TAKEN_MS)).length, 1, isKept ? 'its holder made it anew' : 'another one made it, and waited')
  }
  t.ok(all.reduce((sum, { terms }) => sum + terms, 0) > 1, 'both happened')
  t.ok(holder.terms >= 1)
})

t.test('the Lease is removed while its holder is paused', async (t) => {
  const { world, holder } = await startHeld(['one', 'two', 'three'])
  holder.isPaused = true
  world.removeLease()
  const holders = await world.run(TAKEN_MS)
  t.equal(holders.length, 2, 'another one has it, once the first one is sure to know')
  t.equal(world.lease?.transitions, 0)
})

t.test('alone, and its Lease is removed again and again', async (t) => {
  const { world, holder } = await startHeld(['one'])
  for (let time = 0; time < 5; time++) {
    world.removeLease()
    t.same(await world.run(9_000), ['one'])
  }
  t.equal(holder.terms, 1)
})

t.test('the holder is stopped', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two', 'three'])
  const stopped = holder.stop()
  await world.run(50)
  await stopped
  t.match(holder, { holds: false, isInTerm: false })
  t.match(world.lease, { holder: '' })
  const [next] = await world.run(5_000)
  t.ok(
    others.some(({ name }) => name === next),
    'nobody has to wait until it expires',
  )
})

t.test('stopped while the API server is away', async (t) => {
  const { world, holder } = await startHeld(['one'])
  holder.net = 'slow'
  await world.run(100)
  const stopped = holder.stop()
  await world.run(100)
  t.notOk(holder.holds)
  await world.run(1_500)
  await stopped
})

t.test('one that is stopped leaves the Lease of another alone', async (t) => {
  const { world, holder, others } = await startHeld(['one', 'two'])
  const stopped = others[0]?.stop()
  await world.run(500)
  await stopped
  t.equal(world.lease?.holder, holder.name)
})

t.test('never two at once, whatever happens', async (t) => {
  let terms = 0
  for (let seed = 1; seed <= 12; seed++) {
    const random = createRandom(seed)
    const world = createWorld(random)
    const all = ['one', 'two', 'three'].map((name) => world.start(name, { skewMs: Math.round((random() - 0.5) * 1e8) }))
    for (let step = 0; step < 60; step++) {
      disturb(world, all, random)
      await world.run(random() * 9_000)
    }
    for (const one of all) Object.assign(one, { net: 'up', isPaused: false })
    const holders = await world.run(2 * TAKEN_MS)
    t.ok(holders.length > 0, `one has it in the end (seed ${seed})`)
    terms += all.reduce((sum, one) => sum + one.terms, 0)
  }
  t.ok(terms > 40, `there were ${terms} terms`)
})

const NETS: readonly Net[] = ['up', 'up', 'up', 'cut', 'deaf', 'slow', 'late', 'hung']

function disturb(world: World, all: readonly Candidate[], random: () => number): void {
  for (const one of all) {
    if (random() < 0.3) one.net = NETS[Math.floor(random() * NETS.length)] as Net
    if (random() < 0.3) one.isPaused = random() < 0.4
  }
  if (random() < 0.05) world.removeLease()
}
