import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { loadLock } from '../../../src/kernel/lock.js'
import { TableForeign, TableInUse } from '../../../src/sources/flows/errors.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { load, nft } from '../../kernel/nft.js'
import { bytesByPair, flowsOf, IPV4_UDP, imbalanceOf, ip, sendTo, setUpNode, type TestFlows } from './small-node.js'

const PAIR = '10.0.0.1 10.9.0.1'
const ONE = 100 + IPV4_UDP
const bytesOf = async (flows: TestFlows): Promise<number | undefined> => bytesByPair(await flows.flowReading())[PAIR]
const setsOf = (): string[] => [...nft('list', 'sets').matchAll(/set (\w+)/g)].map(([, name = '']) => name)
/** As nft would give it to somebody who wants to load it elsewhere, comments of rules and all. */
const dropTable = (): void => void nft('flush', 'ruleset')

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(dropTable)

  for (const ownership of ['auto', 'off'] as const) {
    t.test(`an agent that ended is followed by one that goes on from there (ownership ${ownership})`, async (t) => {
      const first = await flowsOf({ ownership })
      await first.open()
      await sendTo(['10.9.0.1'])
      const before = await first.flowReading()
      first.rotate()
      await first.flowReading()
      first.close()
      await sendTo(['10.9.0.1'])
      const rules = nft('list', 'chain', 'inet', 'meshtoll', 'post')
      const second = await flowsOf({ ownership })
      await second.open()
      const after = await second.flowReading()
      t.equal(bytesByPair(after)[PAIR], 2 * ONE, 'what was sent between them included')
      t.equal(imbalanceOf(after), 0)
      t.same([after.epoch, after.epochStartMs, after.unbrokenSinceMs], [before.epoch, before.epochStartMs, before.unbrokenSinceMs])
      t.equal(after.gapMs, 0)
      t.same(second.epochs, [], 'no epoch is announced')
      t.equal(nft('list', 'chain', 'inet', 'meshtoll', 'post'), rules, 'no rule was touched')
      t.equal(second.status.owned, ownership === 'auto')
      await sleep(25)
      t.same(
        (await second.flowReading()).generations.map(({ id, closed }) => [id, closed]),
        [
          [1, true],
          [2, false],
        ],
        'the generation that was detached is closed',
      )
      await second.uninstall()
      t.equal(nft('list', 'tables'), '')
    })
  }

  t.test('an epoch is announced before its table exists', async (t) => {
    const tables: string[] = []
    const flows = await flowsOf({}, { announceEpoch: async () => void tables.push(nft('list', 'tables')) })
    await flows.open()
    t.same(tables, [''])
    await flows.uninstall()
  })

  t.test('other options: rules anew, counting goes on', async (t) => {
    const first = await flowsOf()
    await first.open()
    await sendTo(['10.9.0.1'])
    const { epoch, unbrokenSinceMs } = await first.flowReading()
    first.close()
    const second = await flowsOf({ maxPairs: 2048 })
    await second.open()
    const reading = await second.flowReading()
    t.equal(bytesByPair(reading)[PAIR], ONE)
    t.same([reading.epoch, reading.unbrokenSinceMs, reading.gapMs], [epoch, unbrokenSinceMs, 0])
    t.match(nft('list', 'set', 'inet', 'meshtoll', 'pair4_g2'), 'size 2048')
    await second.uninstall()
  })

  t.test('an owned table is out of reach for others', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    await sendTo(['10.9.0.1'])
    nft('flush', 'ruleset')
    t.throws(() => execFileSync('nft', ['delete', 'table', 'inet', 'meshtoll'], { stdio: 'pipe' }))
    const reading = await flows.flowReading()
    t.equal(bytesByPair(reading)[PAIR], ONE)
    t.equal(reading.gapMs, 0)
    await flows.uninstall()
  })

  t.test('a flush of the unowned one is a new epoch and a gap, noticed between reads', async (t) => {
    const flows = await flowsOf({ ownership: 'off' })
    await flows.open()
    t.match(flows.status, { owned: false, note: /flows.ownership is off/ })
    await sendTo(['10.9.0.1'], { times: 3 })
    const before = await flows.flowReading()
    nft('flush', 'ruleset')
    flows.watch()
    for (const end = performance.now() + 1000; setsOf().length === 0 && performance.now() < end; ) await sleep(5)
    await sendTo(['10.9.0.1'])
    const after = await flows.flowReading()
    t.not(after.epoch, before.epoch)
    t.same(flows.epochs, [before.epoch, after.epoch])
    t.equal(bytesByPair(after)[PAIR], ONE, 'counted from the moment it was noticed')
    t.ok(after.gapMs > 0 && after.gapMs < 1000, `a gap of ${after.gapMs} ms`)
    t.equal((await flows.flowReading()).gapMs, 0, 'told once')
    t.equal(flows.lines.filter((line) => line.startsWith('warn')).length, 1, 'said once')
    await flows.uninstall()
  })

  const damages = [
    { name: 'a rule is deleted', damage: deleteRule },
    { name: 'a rule is added', damage: () => nft('add', 'rule', 'inet', 'meshtoll', 'in', 'counter') },
    { name: 'a chain is flushed', damage: () => nft('flush', 'chain', 'inet', 'meshtoll', 'post') },
    { name: 'the table sleeps', damage: () => nft('add', 'table', 'inet', 'meshtoll', '{', 'flags', 'dormant', ';', '}') },
  ]
  function deleteRule(): void {
    const [, handle = ''] = /update.*# handle (\d+)/.exec(nft('-a', 'list', 'chain', 'inet', 'meshtoll', 'post')) ?? []
    nft('delete', 'rule', 'inet', 'meshtoll', 'post', 'handle', handle)
  }
  for (const { name, damage } of damages) {
    t.test(`${name}: mended, a gap, and what was counted stays`, async (t) => {
      const flows = await flowsOf({ ownership: 'off' })
      await flows.open()
      await sendTo(['10.9.0.1'])
      const before = await flows.flowReading()
      damage()
      const mended = await flows.flowReading()
      t.equal(mended.epoch, before.epoch)
      t.ok(mended.gapMs > 0)
      t.ok(mended.unbrokenSinceMs >= before.unbrokenSinceMs)
      await sendTo(['10.9.0.1'])
      const after = await flows.flowReading()
      t.equal(bytesByPair(after)[PAIR], 2 * ONE)
      t.equal(imbalanceOf(after), 0)
      t.equal(after.gapMs, 0)
      t.match(flows.lines, [/^info table of flows is open/, /^warn table of flows was changed by somebody/])
      await flows.uninstall()
    })
  }

  t.test('transactions of others are no damage', async (t) => {
    const flows = await flowsOf({ ownership: 'off' })
    await flows.open()
    nft('add', 'table', 'ip', 'theirs')
    const reading = await flows.flowReading()
    t.same([reading.gapMs, reading.generations.length, flows.lines.length], [0, 1, 1])
    await flows.uninstall()
  })

  t.test('elements set back by somebody: counted anew, with a gap', async (t) => {
    const flows = await flowsOf({ ownership: 'off' })
    await flows.open()
    await sendTo(['10.9.0.1'], { times: 5 })
    await flows.flowReading()
    nft('flush', 'set', 'inet', 'meshtoll', 'pair4_g1')
    await sendTo(['10.9.0.1'])
    const reading = await flows.flowReading()
    t.ok(reading.gapMs > 0)
    t.equal(bytesByPair(reading)[PAIR], 5 * ONE, 'never less than before')
    await sendTo(['10.9.0.1'])
    t.equal(await bytesOf(flows), 6 * ONE)
    await flows.uninstall()
  })

  t.test('counters set back by somebody: a new epoch, with a gap', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    await sendTo(['10.9.0.1'], { times: 5 })
    const before = await flows.flowReading()
    nft('reset', 'counters')
    const after = await flows.flowReading()
    t.not(after.epoch, before.epoch)
    t.same(flows.epochs, [before.epoch, after.epoch])
    t.ok(after.gapMs > 0)
    t.equal(imbalanceOf(after), 0)
    await flows.uninstall()
  })

  t.test('a table that is not ours is left alone', async (t) => {
    for (const comment of ['', ' comment "meshtoll is mine"\n']) {
      load(`table inet meshtoll {\n${comment} chain post {\n type filter hook postrouting priority 0\n accept\n }\n}`)
      const before = nft('list', 'ruleset')
      const flows = await flowsOf()
      await t.rejects(flows.open(), TableForeign)
      t.equal(nft('list', 'ruleset'), before)
      const lock = (await loadLock())('meshtoll')
      t.ok(lock, 'the lock is free again')
      lock?.release()
      dropTable()
    }
  })

  for (const ownership of ['auto', 'off'] as const) {
    t.test(`a second agent refuses (ownership ${ownership})`, async (t) => {
      const first = await flowsOf({ ownership })
      await first.open()
      const second = await flowsOf({ ownership })
      await t.rejects(second.open(), TableInUse)
      await t.rejects(second.open(), { message: /another meshtoll agent counts in this network namespace/ })
      const other = await flowsOf({ ownership, table: 'other' })
      await other.open()
      await other.uninstall()
      await sendTo(['10.9.0.1'])
      t.equal(await bytesOf(first), ONE, 'the first goes on')
      await first.uninstall()
    })
  }

  t.test('one that holds the table but not the lock is seen as well', async (t) => {
    const first = await flowsOf({}, { takeLock: () => ({ release: () => undefined }) })
    await first.open()
    const second = await flowsOf()
    await t.rejects(second.open(), { name: 'TableInUse', message: /owned by netlink port \d+/ })
    await first.uninstall()
  })

  t.test('the table of an older layout: its sets are read and closed, its chains replaced', async (t) => {
    load(`table inet meshtoll {
 comment "meshtoll layout=0 epoch=0ld created=1700000000"
 counter observed_post {
 packets 3 bytes 384
 }
 set pair4_g3 { type ipv4_addr . ipv4_addr; size 64; flags dynamic; counter; elements = { 10.0.0.1 . 10.9.0.1 counter packets 3 bytes 384 };
 }
 chain ancient {
 type filter hook postrouting priority 10
 update @pair4_g3 { ip saddr . ip daddr }
 }
}`)
    const flows = await flowsOf()
    await flows.open()
    await sendTo(['10.9.0.1'])
    await sleep(25)
    const reading = await flows.flowReading()
    t.same([reading.epoch, reading.epochStartMs], ['0ld', 1_700_000_000_000])
    t.same(
      reading.generations.map(({ id, closed }) => [id, closed]),
      [
        [3, true],
        [4, false],
      ],
    )
    t.equal(bytesByPair(reading)[PAIR], 4 * ONE)
    t.equal(reading.counters.observed - imbalanceOf(reading), 4 * ONE)
    t.notMatch(nft('list', 'table', 'inet', 'meshtoll'), 'ancient')
    await flows.release([3])
    t.notMatch(setsOf(), ['pair4_g3'])
    await flows.uninstall()
  })

  t.test('a tunnel or a translation that appears is looked for from then on', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    await sendTo(['10.9.0.1'])
    t.equal(await bytesOf(flows), ONE)
    t.equal(flows.status.mode, 'plain')
    ip('link add overlay type vxlan id 7 remote 10.9.0.77 dstport 4789 dev uplink')
    flows.watch()
    for (const end = performance.now() + 1000; flows.status.mode === 'plain' && performance.now() < end; ) await sleep(5)
    t.equal(flows.status.mode, 'tunnel', 'noticed between reads')
    const tunnel = await flows.flowReading()
    t.same([tunnel.generations.length, tunnel.gapMs], [1, 0], 'in the same generation; the device had not sent anything')
    load('table ip theirs {\n chain post {\n type nat hook postrouting priority srcnat\n }\n}')
    await sendTo(['10.9.0.1'])
    const full = await flows.flowReading()
    t.equal(flows.status.mode, 'full')
    t.ok(full.gapMs > 0, 'sources may have been rewritten since the last look')
    t.equal(full.generations.length, 1)
    t.same(setsOf().sort(), ['pair4_g1', 'pair6_g1', 'via4_g1', 'via6_g1'])
    t.equal(bytesByPair(full)[PAIR], 2 * ONE)
    ip('link del overlay')
    nft('delete', 'table', 'ip', 'theirs')
    await flows.flowReading()
    t.equal(flows.status.mode, 'full', 'there is no way back while it runs')
    flows.close()
    const next = await flowsOf()
    await next.open()
    t.equal(next.status.mode, 'full', 'nor at the next start: connections may live on that were translated')
    const { gapMs, unbrokenSinceMs } = await next.flowReading()
    t.same([gapMs, unbrokenSinceMs], [0, full.unbrokenSinceMs])
    t.equal(await bytesOf(next), 2 * ONE)
    await next.uninstall()
  })
})
