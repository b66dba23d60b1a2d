// What changes around the table, or is done to it, while nobody looks: how long it was so is a gap, and never less.
import t, { type Test } from 'tap'
import { TableContested } from '../../../src/sources/flows/errors.js'
import type { FlowDeps } from '../../../src/sources/flows/source.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { load, nft } from '../../kernel/nft.js'
import { bytesByPair, CLOCK, flowsOf, IPV4_UDP, imbalanceOf, ip, sendTo, setUpNode, type TestFlows } from './small-node.js'

const PAIR = '10.0.0.1 10.9.0.1'
const ONE = 100 + IPV4_UDP

function addOverlay(t: Test): void {
  ip('link add overlay type vxlan id 7 remote 10.9.0.77 dstport 4789 dev uplink')
  t.teardown(() => ip('link del overlay'))
}
async function useOverlay(): Promise<void> {
  ip('addr add 10.8.0.1/24 dev overlay', 'link set overlay up', 'neigh add 10.8.0.2 lladdr 02:00:00:00:00:08 dev overlay')
  await sendTo(['10.8.0.2'])
}
const addNat = (): void => load('table ip theirs {\n chain post {\n type nat hook postrouting priority srcnat\n }\n}')

/** Time that passes when it is told to, beside the real one. */
function skippingClock() {
  let skippedMs = 0
  const clock: FlowDeps['clock'] = { ...CLOCK, monotonic: () => CLOCK.monotonic() + skippedMs }
  function skip(ms: number): void {
    skippedMs += ms
  }
  return { clock, skip }
}

async function lookBriefly(flows: TestFlows): Promise<void> {
  flows.watch()
  await flows.release([])
}

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(() => nft('flush', 'ruleset'))

  const appearances = [
    {
      name: 'a tunnel that was used',
      appear: async (t: Test) => {
        addOverlay(t)
        await useOverlay()
      },
      mode: 'tunnel',
      isGap: true,
    },
    { name: 'a tunnel that has carried nothing', appear: addOverlay, mode: 'tunnel', isGap: false },
    { name: 'address translation', appear: addNat, mode: 'full', isGap: true },
    { name: 'nothing', appear: () => undefined, mode: 'plain', isGap: false },
  ] as const
  for (const { name, appear, mode, isGap } of appearances) {
    t.test(`${name} appeared while no agent ran: ${isGap ? 'a break since then is in the table' : 'no break'}`, async (t) => {
      const first = await flowsOf()
      await first.open()
      await sendTo(['10.9.0.1'])
      const before = await first.flowReading()
      first.close()
      await appear(t)
      const second = await flowsOf()
      await second.open()
      t.equal(second.status.mode, mode)
      const after = await second.flowReading()
      t.equal(after.unbrokenSinceMs > before.unbrokenSinceMs, isGap)
      t.equal(after.epoch, before.epoch)
      t.equal(bytesByPair(after)[PAIR], ONE)
      second.close()
      const third = await flowsOf()
      await third.open()
      t.equal((await third.flowReading()).unbrokenSinceMs, after.unbrokenSinceMs, 'told once')
      await third.uninstall()
    })
  }

  t.test('address translation was added under rules that know tunnels already: a break, though the tunnel is none', async (t) => {
    addOverlay(t)
    const first = await flowsOf()
    await first.open()
    await useOverlay()
    const before = await first.flowReading()
    first.close()
    const second = await flowsOf()
    await second.open()
    t.equal((await second.flowReading()).unbrokenSinceMs, before.unbrokenSinceMs)
    second.close()
    addNat()
    const third = await flowsOf()
    await third.open()
    t.ok((await third.flowReading()).unbrokenSinceMs > before.unbrokenSinceMs)
    await third.uninstall()
  })

  t.test('a look at devices says nothing about translation: its gap is the time since a look at both', async (t) => {
    const { clock, skip } = skippingClock()
    const flows = await flowsOf({}, { clock })
    await flows.open()
    const before = await flows.flowReading()
    addNat()
    skip(5000)
    ip('link add other type veth peer name others')
    await lookBriefly(flows)
    skip(2000)
    const { gapMs, unbrokenSinceMs } = await flows.flowReading()
    ip('link del other')
    t.ok(gapMs >= 7000 && gapMs < 8000, `a gap of ${gapMs} ms`)
    t.ok(unbrokenSinceMs > before.unbrokenSinceMs)
    flows.close()
    const next = await flowsOf()
    await next.open()
    t.equal((await next.flowReading()).unbrokenSinceMs, unbrokenSinceMs, 'one that is killed before the read finds it too')
    await next.uninstall()
  })

  t.test('without word of a change no tunnel was there: its gap is the time since the last look for words', async (t) => {
    const { clock, skip } = skippingClock()
    const flows = await flowsOf({}, { clock })
    await flows.open()
    await flows.flowReading()
    await lookBriefly(flows)
    skip(5000)
    await lookBriefly(flows)
    addOverlay(t)
    await useOverlay()
    skip(1000)
    await lookBriefly(flows)
    const { gapMs } = await flows.flowReading()
    t.ok(gapMs >= 1000 && gapMs < 2000, `a gap of ${gapMs} ms`)
    await flows.uninstall()
  })

  for (const ownership of ['auto', 'off'] as const) {
    t.test(`another epoch is asked for (ownership ${ownership}): announced, then in the place of the old one`, async (t) => {
      const tables: string[] = []
      const flows = await flowsOf(
        { ownership },
        { announceEpoch: async (epoch) => void tables.push(`${epoch} ${nft('list', 'tables').trim()}`) },
      )
      await flows.open()
      await sendTo(['10.9.0.1'])
      const before = await flows.flowReading()
      await flows.renew()
      await sendTo(['10.9.0.1', '10.9.0.1'])
      const after = await flows.flowReading()
      t.not(after.epoch, before.epoch)
      t.same(tables, [`${before.epoch} `, `${after.epoch} table inet meshtoll`])
      t.equal(bytesByPair(after)[PAIR], 2 * ONE)
      t.equal(imbalanceOf(after), 0)
      t.ok(after.gapMs > 0 && after.gapMs < 1000, `a gap of ${after.gapMs} ms`)
      t.same(
        after.generations.map(({ id, closed }) => [id, closed]),
        [[1, false]],
      )
      t.equal(flows.status.owned, ownership === 'auto')
      t.equal((await flows.flowReading()).gapMs, 0)
      await flows.uninstall()
      t.match(flows.status, { mode: 'plain', owned: false }, 'there is always a status')
    })
  }

  t.test('a table that goes every second is made again three times, then once in five seconds', async (t) => {
    const { clock, skip } = skippingClock()
    const flows = await flowsOf({ ownership: 'off' }, { clock })
    await flows.open()
    await flows.flowReading()
    const startMs = clock.monotonic()
    const made: number[] = []
    let gapMs = 0
    for (let second = 0; second < 14; second++) {
      nft('flush', 'ruleset')
      const epochs = flows.epochs.length
      await lookBriefly(flows).catch(() => undefined)
      await flows.flowReading().then(
        (reading) => {
          gapMs += reading.gapMs
        },
        (error) => t.type(error, TableContested),
      )
      if (flows.epochs.length > epochs) made.push(second)
      skip(1000)
    }
    t.same(made, [0, 1, 2, 7, 12])
    t.equal(flows.lines.filter((line) => line.startsWith('warn')).length, 1, 'said once')
    skip(10_000)
    await sendTo(['10.9.0.1'])
    nft('flush', 'ruleset')
    const last = await flows.flowReading()
    await sendTo(['10.9.0.1'])
    t.equal(bytesByPair(await flows.flowReading())[PAIR], ONE)
    gapMs += last.gapMs
    const passedMs = clock.monotonic() - startMs
    t.ok(gapMs > passedMs - 1000 && gapMs <= passedMs + 1000, `a gap of ${gapMs} ms in ${passedMs} ms`)
    await flows.uninstall()
  })

  t.test('rules that go every second are written no more often, what they counted is read, and the time is a gap', async (t) => {
    const { clock, skip } = skippingClock()
    const flows = await flowsOf({ ownership: 'off' }, { clock })
    await flows.open()
    const before = await flows.flowReading()
    const startMs = clock.monotonic()
    let gapMs = 0
    for (let second = 0; second < 7; second++) {
      nft('flush', 'chain', 'inet', 'meshtoll', 'post')
      const reading = await flows.flowReading()
      gapMs += reading.gapMs
      t.equal(reading.generations.at(-1)?.id, Math.min(second, 2) + 2)
      t.equal(bytesByPair(reading)[PAIR] ?? 0, Math.min(second, 3) * ONE)
      await sendTo(['10.9.0.1'])
      skip(1000)
    }
    const passedMs = clock.monotonic() - startMs
    t.ok(gapMs > passedMs - 2000 && gapMs <= passedMs, `a gap of ${gapMs} ms in ${passedMs} ms`)
    const { unbrokenSinceMs, generations } = await flows.flowReading()
    t.equal(generations.at(-1)?.id, 5)
    t.ok(unbrokenSinceMs > before.unbrokenSinceMs)
    flows.close()
    const next = await flowsOf()
    await next.open()
    t.equal((await next.flowReading()).unbrokenSinceMs, unbrokenSinceMs, 'the break is in the table as well')
    await next.uninstall()
  })
})
