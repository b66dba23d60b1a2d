import t from 'tap'
import { createPosting } from '../../src/agent/posting.js'
import type { Clock } from '../../src/deps.js'
import type { Identity } from '../../src/model.js'
import { createSetClock } from '../../src/set-clock.js'
import { createModelDisk, type ModelDisk } from '../ledger/disk-model.js'
import { createModelIdentity } from '../ledger/identity-model.js'
import { createKernel, createReader } from '../ledger/kernel-model.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const clock = { now: () => 1_000, monotonic: () => 1_000, sleep: async () => undefined }

const postingOn = (disk: ModelDisk, now: Clock = clock, identity = {} as Identity) =>
  createPosting(
    {
      config: { series: { limit: 100, idleMs: 1_000, zeroFirstMs: 0 }, price: { sameZone: 0, crossZone: 0 } } as never,
      identity,
      keepsState: () => true,
      keepsLastRead: true,
      release: async () => undefined,
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
