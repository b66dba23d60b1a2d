import t from 'tap'
import { createPosting } from '../../src/agent/posting.js'
import type { Clock } from '../../src/deps.js'
import type { ClusterChanges } from '../../src/identity/cluster-changes.js'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Identity } from '../../src/model.js'
import { createSetClock } from '../../src/set-clock.js'
import { createModelDisk, type ModelDisk } from '../ledger/disk-model.js'
import { CART, createModelIdentity, STOCK } from '../ledger/identity-model.js'
import { createKernel, createReader } from '../ledger/kernel-model.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const clock = { now: () => 1_000, monotonic: () => 1_000, sleep: async () => undefined }

const postingOn = (
  disk: ModelDisk,
  now: Clock = clock,
  identity = {} as Identity,
  release: (generations: readonly number[]) => void = () => undefined,
) =>
  createPosting(
    {
      config: { series: { limit: 100, idleMs: 1_000, zeroFirstMs: 0 }, price: { sameZone: 0, crossZone: 0 } } as never,
      identity,
      keepsState: () => true,
      keepsLastRead: true,
      release: async (generations) => release(generations),
    },
    { clock: createSetClock(now), log, disk },
  )

t.test('killed after the table was announced, before a reading of it was written down: since then nothing was heard', async (t) => {
  const disk = createModelDisk()
  const first = postingOn(disk)
  await first.load()
  t.equal(first.leftOff, undefined, 'at first there was nobody before')
  await first.announce('e1')
  const second = postingOn(disk)
  await second.load()
  t.match(second.leftOff, { readAtMs: 1_000, atMs: 1_000, addresses: [] })
  t.equal(second.leftOff?.had('10.1.0.7', 'uid-1'), undefined, 'a node that was not asked for before is not doubted')
})

t.test('the clock was set back since the last reading: it is told by the clock of now', async (t) => {
  const disk = createModelDisk()
  const clockAt = (nowMs: number, bootMs: number): Clock => ({ ...clock, now: () => nowMs, sinceBoot: () => bootMs })
  const first = postingOn(disk, clockAt(1_000_000, 5_000), createModelIdentity(new Map()))
  await first.announce('e1')
  const kernel = createKernel()
  kernel.create('e1', 990_000)
  await first.post(createReader(kernel, 1).read(1_000_000, 0))
  for (const [nowMs, readAtMs] of [
    [1_060_000, 1_000_000],
    [970_000, 910_000],
  ] as const) {
    const second = postingOn(disk, clockAt(nowMs, 65_000))
    await second.load()
    t.match(second.leftOff, { readAtMs, atMs: readAtMs })
  }
})

t.test('the kernel keeps what it counted until the state that says so is on the disk', async (t) => {
  const disk = createModelDisk()
  const kernel = createKernel()
  const reader = createReader(kernel, 1)
  const released: number[] = []
  const identity = createModelIdentity(
    new Map([
      ['10.0.0.1', { who: CART, local: 'yes', covered: 'yes' }],
      ['10.0.0.3', { who: STOCK, local: 'no', covered: 'yes' }],
    ]),
  )
  const posting = postingOn(disk, clock, identity, (generations) => {
    released.push(...generations)
    reader.release(generations)
  })
  await posting.announce('e1')
  kernel.create('e1', 1_000)
  kernel.send({ source: '10.0.0.1', destination: '10.0.0.3', bytes: 5, path: 'plain' }, false)
  await posting.post(reader.read(1_000, 0))
  kernel.rotate()
  disk.mode = 'full'
  await posting.post(reader.read(1_000, 0))
  t.same(released, [], 'where there is no room for it, what a killed agent had counted is in the kernel still')
  disk.mode = 'works'
  await posting.post(reader.read(1_000, 0))
  t.same(released, [1])
})

t.test('what waited in another boot of the machine has all its patience again', async (t) => {
  const disk = createModelDisk()
  const clockIn = (bootId: string | undefined, bootMs: number): Clock => ({ ...clock, sinceBoot: () => bootMs, bootId })
  const identity = createModelIdentity(new Map([['10.0.0.1', { who: CART, local: 'unknown', covered: 'unknown' }]]))
  const first = postingOn(disk, clockIn('boot-1', 5_000), identity)
  await first.announce('e1')
  const kernel = createKernel()
  kernel.create('e1', 1_000)
  kernel.send({ source: '10.0.0.1', destination: '1.1.1.1', bytes: 1, path: 'plain' }, false)
  await first.post(createReader(kernel, 1).read(1_000, 0))
  const waitedIn = async (bootId: string | undefined, bootMs: number): Promise<number | undefined> => {
    const next = postingOn(disk, clockIn(bootId, bootMs), identity)
    await next.load()
    return next.leftOff?.waited?.get('10.0.0.1')
  }
  t.equal(await waitedIn('boot-1', 65_000), 60_000)
  t.equal(await waitedIn('boot-2', 65_000), undefined, 'however long that one is up')
  t.equal(await waitedIn(undefined, 65_000), 60_000, 'where it is not said which one it is')
  t.equal(await waitedIn(undefined, 4_000), undefined, 'but one that is younger is another')
})

const PATIENCE_MS = 30_000
const NODE = { name: 'n1', zone: 'a', region: 'r' }
const HEARD: ClusterChanges = { isCurrent: true, covering: new Set(), standing: 'yes' }

t.test('an agent that is killed every few seconds keeps no bytes waiting for longer than patience', async (t) => {
  const cases = [
    { name: 'of an address that nobody tells of', source: '10.1.0.7', told: HEARD },
    { name: 'while nothing is heard', source: '10.1.0.7', told: { isCurrent: false } },
    { name: 'of the node, while nothing is heard', source: '10.0.0.1', told: { isCurrent: false } },
  ]
  for (const { name, source, told } of cases) {
    const disk = createModelDisk()
    const kernel = createKernel()
    let bootMs = 500_000
    const start = () => {
      const startedMs = bootMs
      const raw = { now: () => bootMs + 1_763_715_600_000, monotonic: () => bootMs - startedMs, sinceBoot: () => bootMs }
      const now = createSetClock({ ...clock, ...raw })
      const names = createClusterNames({
        ...{ node: 'n1', patienceMs: PATIENCE_MS, skewMs: 2_000, isBehindUs: () => true },
        ...{ monotonic: now.monotonic, doubtMs: now.settings.doubtMs },
      })
      const identity = createIdentity(NODE, { clock: now, cluster: names, patienceMs: PATIENCE_MS })
      return { names, identity, posting: postingOn(disk, now, identity), reader: createReader(kernel, 1), nowMs: now.now }
    }
    let agent = start()
    await agent.posting.announce('e1')
    kernel.create('e1', agent.nowMs())
    const read = async (): Promise<number> => {
      const { names, identity, posting, reader, nowMs } = agent
      await posting.load()
      if (posting.leftOff) names.resume(posting.leftOff)
      await identity.update({ addresses: ['10.0.0.1'], cluster: told }, async () => undefined)
      await posting.post(reader.read(nowMs(), 0))
      return (await posting.snapshot(nowMs())).books.pending
    }
    const waiting: number[] = []
    for (let lives = 0; lives < 20; lives++) {
      kernel.send({ source, destination: '1.1.1.1', bytes: 1, path: 'plain' }, false)
      waiting.push(await read())
      bootMs += 5_000
      agent = start()
    }
    t.same(waiting.slice(0, 6), [1, 2, 3, 4, 5, 6], `${name}: for as long as patience lasts`)
    t.ok(Math.max(...waiting) <= PATIENCE_MS / 5_000, `${name}: and no longer: ${waiting}`)
  }
})
