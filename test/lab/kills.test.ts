// kill -9 at a hundred random moments, under load, with identities that change and more owners than series: nothing is lost, nothing
// twice, and no series ever falls.
import { setTimeout as sleep } from 'node:timers/promises'
import { booked, type Entry, flowBytes, inventoryOf, zoneBytes } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { createWatcher } from './series.js'
import { worldTest } from './world.js'

const KILLS = 100
/** Half of them once the agent runs, half while it starts: adopting, restoring, closing what the one before had begun. */
const AFTER_READY_MS = 700
const WHILE_STARTING_MS = 1_200
const OWNERS = ['cart', 'web', 'stock']

/** A generator whose seed is printed, so that a run can be had again. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function inventoryAt(turn: number): readonly Entry[] {
  const owner = OWNERS[turn % OWNERS.length] ?? ''
  return inventoryOf(ONE_NODE).map((entry) => (entry.ownerName === 'p1a' ? { ...entry, ownerName: owner } : entry))
}

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('kill -9 at random moments', async (t) => {
      const seed = Number(process.env['MESHTOLL_TEST_SEED'] ?? Date.now() % 1e6)
      const random = createRandom(seed)
      t.comment(`MESHTOLL_TEST_SEED=${seed}`)
      const options = { flows: { interval: '250ms', rotateInterval: '1s' }, series: { limit: 4 } }
      const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, options })
      const agent = agents.on('n1')
      const [a, b, internet] = [topology.peer('p1a'), topology.peer('p1b'), topology.peer('internet')]
      await b.listenTcp({ port: 8080 })
      await internet.listenUdp({ port: 9 })
      await b.listenUdp({ port: 9 })
      const streams = [
        await a.pace({ protocol: 'tcp', to: '10.1.1.3', port: 8080, bytesPerSecond: 20_000_000 }),
        await a.pace({ protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 1_000_000 }),
        await internet.pace({ protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 500_000 }),
      ]
      const burst = (turn: number) => b.sendUdp({ to: [{ first: `203.0.${turn % 200}.0`, count: 60 }], port: 9, size: 200, packets: 2 })

      const watcher = createWatcher()
      const falls: string[] = []
      const scrape = async (): Promise<void> => void falls.push(...watcher.falls(await agent.metrics()))
      for (let turn = 0; turn < KILLS; turn++) {
        if (turn % 4 === 0) await agents.writeInventory(inventoryAt(turn / 4))
        const bursting = burst(turn)
        if (turn % 2 === 0) {
          const end = performance.now() + random() * AFTER_READY_MS
          while (performance.now() < end) {
            await scrape()
            await sleep(30)
          }
          await agent.kill()
          agent.launch()
        } else {
          await sleep(random() * WHILE_STARTING_MS)
          await agent.kill()
          await agent.start()
          await scrape()
        }
        await bursting
      }
      for (const stream of streams) await stream.close()

      const all = await agents.atRest()
      await scrape()
      t.same(falls, [], 'no series ever fell')
      const sent = await truth.total()
      t.ok(sent > 500_000_000, `${sent} bytes were sent meanwhile`)
      balances(t, all, sent)
      t.equal(zoneBytes(all), sent, 'zones')
      t.equal(flowBytes(all), booked(all, 'posted'))
    })
  },
  { timeoutMs: 600_000 },
)
