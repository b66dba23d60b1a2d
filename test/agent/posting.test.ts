import t from 'tap'
import { createPosting } from '../../src/agent/posting.js'
import type { Identity } from '../../src/model.js'
import { createModelDisk, type ModelDisk } from '../ledger/disk-model.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const clock = { now: () => 1_000, monotonic: () => 1_000, sleep: async () => undefined }

const postingOn = (disk: ModelDisk) =>
  createPosting(
    {
      config: { series: { limit: 100, idleMs: 1_000, zeroFirstMs: 0 }, price: { sameZone: 0, crossZone: 0 } } as never,
      identity: {} as Identity,
      keepsState: () => true,
      keepsLastRead: true,
      release: async () => undefined,
    },
    { clock, log, disk },
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
