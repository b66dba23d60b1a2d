// A transaction that fails, before the kernel hears it or with its answer lost: what was to be done is done by the next read or call.
import t from 'tap'
import { KernelError } from '../../../src/kernel/errors.js'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { NFT, nftType } from '../../../src/kernel/nftables-encode.js'
import type { FlowReading } from '../../../src/model/flows.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { nft } from '../../kernel/nft.js'
import { through } from './seam.js'
import { bytesByPair, flowsOf, IPV4_UDP, imbalanceOf, sendTo, setUpNode, type TestFlows } from './small-node.js'

const ENOBUFS = 105
const PAIR = '10.0.0.1 10.9.0.1'

/** Fails once, when armed, at a batch with a message of this type. */
async function failing(when: 'send' | 'sent') {
  let wanted: number | undefined
  const fail = (message: Buffer): Buffer => {
    if (wanted === undefined || !typesOf(message).includes(nftType(wanted))) return message
    wanted = undefined
    throw new KernelError('send to the kernel', ENOBUFS)
  }
  const arm = (type: number): void => {
    wanted = type
  }
  return { arm, isArmed: () => wanted !== undefined, openNetlink: through(await loadNetlink(), { [when]: fail }) }
}

/** struct nlmsghdr: length, type. */
function typesOf(batch: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 16 <= batch.length; at += (batch.readUInt32LE(at) + 3) & ~3) types.push(batch.readUInt16LE(at + 4))
  return types
}

/** Two generations, of which the first is closed. */
async function openWithClosed(flows: TestFlows): Promise<FlowReading> {
  await flows.open()
  await sendTo(['10.9.0.1'])
  flows.rotate()
  await flows.flowReading()
  for (const end = performance.now() + 5000; performance.now() < end; ) {
    const reading = await flows.flowReading()
    if (reading.generations[0]?.closed) return reading
  }
  throw new Error('the first generation is never closed')
}

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(() => nft('flush', 'ruleset'))

  for (const when of ['send', 'sent'] as const) {
    const what = when === 'send' ? 'the kernel refuses it' : 'its answer is lost'
    for (const ownership of ['auto', 'off'] as const) {
      t.test(`a new epoch in the place of the old one, ${what} (ownership ${ownership}): made by the next read`, async (t) => {
        const { arm, isArmed, openNetlink } = await failing(when)
        const flows = await flowsOf({ ownership }, { openNetlink })
        await flows.open()
        await sendTo(['10.9.0.1'], { times: 5 })
        const before = await flows.flowReading()
        nft('reset', 'counters')
        arm(NFT.newTable)
        await t.rejects(flows.flowReading(), { code: 'ENOBUFS' })
        t.notOk(isArmed())
        t.match(flows.status, { owned: ownership === 'auto', mode: 'plain' })
        flows.watch()
        await sendTo(['10.9.0.1'], { times: 10 })
        const after = await flows.flowReading()
        t.not(after.epoch, before.epoch)
        t.equal(after.epoch, flows.epochs.at(-1), 'it was announced')
        t.ok(after.gapMs > 0)
        await sendTo(['10.9.0.1'])
        const last = await flows.flowReading()
        t.equal(bytesByPair(last)[PAIR], 100 + IPV4_UDP)
        t.same([imbalanceOf(last), last.gapMs, last.epoch], [0, 0, after.epoch])
        t.same(
          last.generations.map(({ id, closed }) => [id, closed]),
          [[1, false]],
        )
        await flows.uninstall()
      })
    }

    t.test(`the table that somebody removed, ${what}: made by the next read`, async (t) => {
      const { arm, isArmed, openNetlink } = await failing(when)
      const flows = await flowsOf({ ownership: 'off' }, { openNetlink })
      await flows.open()
      await sendTo(['10.9.0.1'], { times: 5 })
      await flows.flowReading()
      nft('flush', 'ruleset')
      arm(NFT.newTable)
      await t.rejects(flows.flowReading(), { code: 'ENOBUFS' })
      t.notOk(isArmed())
      t.equal(flows.status.mode, 'plain')
      const after = await flows.flowReading()
      t.equal(after.epoch, flows.epochs.at(-1), 'it was announced')
      t.ok(after.gapMs > 0)
      await sendTo(['10.9.0.1'])
      const last = await flows.flowReading()
      t.equal(bytesByPair(last)[PAIR], 100 + IPV4_UDP, 'nothing of the old table')
      t.same([imbalanceOf(last), last.gapMs], [0, 0])
      await flows.uninstall()
    })

    t.test(`sets that somebody emptied, ${what}: the gap is found although they grow beyond what they were`, async (t) => {
      const { arm, isArmed, openNetlink } = await failing(when)
      const flows = await flowsOf({ ownership: 'off' }, { openNetlink })
      await flows.open()
      await sendTo(['10.9.0.1'], { times: 5 })
      await flows.flowReading()
      nft('flush', 'set', 'inet', 'meshtoll', 'pair4_g1')
      await sendTo(['10.9.0.1'])
      arm(NFT.newSet)
      await t.rejects(flows.flowReading(), { code: 'ENOBUFS' })
      t.notOk(isArmed())
      await sendTo(['10.9.0.1'], { times: 10 })
      t.ok((await flows.flowReading()).gapMs > 0)
      t.equal((await flows.flowReading()).gapMs, 0, 'told once')
      await flows.uninstall()
    })

    t.test(`a generation is released, ${what}: it is released by the next call`, async (t) => {
      const { arm, isArmed, openNetlink } = await failing(when)
      const flows = await flowsOf({}, { openNetlink })
      const closed = await openWithClosed(flows)
      arm(NFT.delSet)
      await t.rejects(flows.release([1]), { code: 'ENOBUFS' })
      t.notOk(isArmed())
      const between = await flows.flowReading()
      t.same([bytesByPair(between), between.generations.length, between.gapMs], [bytesByPair(closed), 2, 0], 'it is still read')
      await flows.release([1])
      const { generations, gapMs } = await flows.flowReading()
      t.same([generations.map(({ id }) => id), gapMs], [[2], 0])
      t.notMatch(nft('list', 'sets'), 'pair4_g1')
      await flows.uninstall()
    })

    t.test(`the table is removed, ${what}: it is removed by the next call`, async (t) => {
      const { arm, isArmed, openNetlink } = await failing(when)
      const flows = await flowsOf({}, { openNetlink })
      await flows.open()
      await flows.flowReading()
      arm(NFT.delTable)
      await t.rejects(flows.uninstall(), { code: 'ENOBUFS' })
      t.notOk(isArmed())
      t.equal(flows.status.mode, 'plain')
      await flows.uninstall()
      t.equal(nft('list', 'tables'), '')
    })
  }

  t.test('a generation is released when its table just went: an error, and nothing is left of either', async (t) => {
    const flows = await flowsOf({ ownership: 'off' })
    await openWithClosed(flows)
    nft('flush', 'ruleset')
    await t.rejects(flows.release([1]), { code: 'ENOENT' })
    await sendTo(['10.9.0.1'])
    const after = await flows.flowReading()
    t.same(
      after.generations.map(({ id, closed }) => [id, closed]),
      [[1, false]],
    )
    await flows.release([1])
    t.equal(bytesByPair(await flows.flowReading())[PAIR] ?? 0, 0)
    await sendTo(['10.9.0.1'])
    t.equal(bytesByPair(await flows.flowReading())[PAIR], 100 + IPV4_UDP, 'the first generation of the new table is another')
    await flows.uninstall()
  })
})
