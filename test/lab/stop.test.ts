// How an agent ends, and what the next one finds: nothing is lost by a stop, and an agent that is uninstalled leaves no table.
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import { endOf, type NodeAgent } from './agents.js'
import { createLab, ONE_NODE } from './lab.js'
import { createOnePair, gapSeconds, timesSaid } from './one-pair.js'
import { createWatcher } from './series.js'
import { eventually, worldTest } from './world.js'

const STREAM = { protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 20_000_000 } as const
const STOPS_WITHIN_MS = 2_000
const OPTIONS = { flows: { interval: '200ms', rotateInterval: '1s' } }
const STAYS =
  /level=info msg="stopped; the kernel table stays and counts on, so that the next start loses nothing" table=meshtoll remove_with="meshtoll agent --uninstall"\n$/

const hasTable = async (topology: Topology): Promise<boolean> =>
  (await topology.run('n1', ['nft', 'list', 'tables'])).includes('inet meshtoll')

interface Ended extends Exit {
  readonly said: string
}

async function uninstall(topology: Topology, agent: NodeAgent): Promise<Ended> {
  const argv = agent.argv.filter((word) => !word.startsWith('--web.'))
  const program = topology.start('n1', [...argv, '--uninstall'], { capabilities: ['net_admin'] })
  const exit = await endOf(program)
  return { ...exit, said: program.stderr() }
}

/** Resolves once somebody waits for what nobody will write. */
const openForReader = (pipe: string): Promise<number> =>
  eventually('a reader', () => {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      return undefined
    }
  })

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('SIGTERM under load: in time, and without a byte lost', async (t) => {
      const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, options: OPTIONS })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const watcher = createWatcher()
      const stream = await topology.peer('p1a').pace(STREAM)
      for (let turn = 0; turn < 5; turn++) {
        await sleep(300)
        watcher.falls(await agent.metrics())
        const startMs = performance.now()
        agent.program.signal('SIGTERM')
        t.same(await endOf(agent.program), { code: 0, signal: null })
        const ms = performance.now() - startMs
        t.ok(ms < STOPS_WITHIN_MS, `${ms} ms`)
        t.match(agent.log(), STAYS)
        t.equal(timesSaid(agent.log(), /level=(warn|error)/), 0)
        t.ok(await hasTable(topology))
        await agent.start()
        t.same(watcher.falls(await agent.metrics()), [])
      }
      await stream.close()
      const sent = await truth.sentBy('p1a')
      t.equal(await pair.servedAt(agent, sent), sent)
      const [now] = await agents.atRest()
      t.match(now?.books, { difference: 0, pending: 0 })
      t.equal(await gapSeconds(agent), 0)
    })

    t.test('SIGTERM while it starts', async (t) => {
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: OPTIONS })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      let sent = await pair.send(20)
      await agent.kill()
      const codes = new Set<string>()
      // On a busy machine it takes longer until it is loaded.
      for (let afterMs = 0; afterMs <= 900 || (!codes.has('0') && afterMs <= 8_000); afterMs += 100) {
        const program = agent.launch()
        await sleep(afterMs)
        sent += await pair.send(1)
        const startMs = performance.now()
        program.signal('SIGTERM')
        const { code, signal } = await endOf(program)
        // The signal itself, as long as the program is not loaded.
        t.ok(code === 0 || signal === 'SIGTERM', `after ${afterMs} ms: ${code ?? signal}: ${program.stderr()}`)
        t.ok(performance.now() - startMs < STOPS_WITHIN_MS)
        t.equal(timesSaid(program.stderr(), /level=(warn|error)|^meshtoll:/), 0, 'no complaint')
        codes.add(String(code))
      }
      t.ok(codes.has('0'), 'some stopped in order')
      await agent.start()
      t.equal(await pair.servedAt(agent, sent), sent)
      t.equal(await gapSeconds(agent), 0)
    })

    t.test('an inventory that cannot be read to its end, as on a dead mount, keeps nobody from stopping', async (t) => {
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: OPTIONS })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const sent = await pair.send(20)
      t.equal(await pair.servedAt(agent, sent), sent)
      const inventory = join(agent.stateDir, '..', 'inventory.yaml')
      execFileSync('mkfifo', [`${inventory}.pipe`])
      await rename(inventory, `${inventory}.real`)
      await rename(`${inventory}.pipe`, inventory)
      const writer = await openForReader(inventory)
      const startMs = performance.now()
      agent.program.signal('SIGTERM')
      t.same(await endOf(agent.program), { code: null, signal: 'SIGTERM' }, 'by the signal: the process cannot end otherwise')
      const ms = performance.now() - startMs
      t.ok(ms < STOPS_WITHIN_MS + 1_000, `${ms} ms`)
      t.match(agent.log(), STAYS)
      closeSync(writer)
      await rm(inventory)
      await rename(`${inventory}.real`, inventory)
      const more = await pair.send(5)
      await agent.start()
      t.equal(await pair.servedAt(agent, sent + more), sent + more, 'nothing is lost by it')
      t.equal(await gapSeconds(agent), 0)
    })

    for (const ownership of ['auto', 'off'] as const) {
      t.test(`agent --uninstall (ownership ${ownership})`, async (t) => {
        const options = { flows: { ...OPTIONS.flows, ownership } }
        const { topology, agents } = await createLab(t, { spec: ONE_NODE, options })
        const agent = agents.on('n1')
        const pair = await createOnePair(topology)
        const watcher = createWatcher()
        let sent = await pair.send(20)

        const refused = await uninstall(topology, agent)
        t.equal(refused.code, 1, 'refuses while an agent runs')
        t.match(refused.said, /^meshtoll: another meshtoll agent counts in this network namespace [^\n]*\n {2}[^\n]*\n$/)
        t.equal(await pair.servedAt(agent, sent), sent, 'which goes on')
        watcher.falls(await agent.metrics())

        await agent.stop()
        sent += await pair.send(30)
        const removed = await uninstall(topology, agent)
        t.equal(removed.code, 0)
        t.match(removed.said, /level=info msg="the kernel table is removed" table=meshtoll\n$/)
        t.notOk(await hasTable(topology))
        const removedMs = performance.now()
        await pair.send(1_000)
        t.equal((await uninstall(topology, agent)).code, 0, 'works where there is none')
        t.notOk(await hasTable(topology))

        await agent.start()
        t.equal(await pair.served(agent), sent, 'the last read is served by the next start')
        t.same(watcher.falls(await agent.metrics()), [])
        const more = await pair.send(7)
        t.equal(await pair.servedAt(agent, sent + more), sent + more)
        const gap = await gapSeconds(agent)
        const away = (performance.now() - removedMs) / 1000
        t.ok(gap > 0 && gap < away + 2, `a gap of ${gap} s in ${away} s`)
        t.match((await agent.snapshot()).books, { difference: 0 })
      })
    }

    t.test('agent --uninstall where the last read cannot be written down: the table stays', async (t) => {
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: OPTIONS })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const sent = await pair.send(20)
      await pair.servedAt(agent, sent)
      await agent.kill()
      execFileSync('mount', ['--bind', agent.stateDir, agent.stateDir])
      execFileSync('mount', ['-o', 'remount,bind,ro', agent.stateDir])
      const { code, said } = await uninstall(topology, agent)
      t.equal(code, 1)
      t.match(said, /^meshtoll: the kernel table stays: /m)
      t.ok(await hasTable(topology))
      execFileSync('umount', [agent.stateDir])
      await agent.start()
      t.equal(await pair.servedAt(agent, sent), sent)
      t.equal(await gapSeconds(agent), 0)
    })
  },
  { timeoutMs: 120_000 },
)
