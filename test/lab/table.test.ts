// Others at the kernel table: what they can do to it, and what is served then.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import { endOf, type NodeAgent } from './agents.js'
import { createLab, type LabOptions, ONE_NODE } from './lab.js'
import { createOnePair, gapSeconds, timesSaid } from './one-pair.js'
import { createWatcher } from './series.js'
import { eventually, worldTest } from './world.js'

const STREAM = { protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 5_000_000 } as const
const UNOWNED = { ownership: 'off' } as const
const CHANGED = /level=warn msg="table of flows was changed by somebody, installed again"/
const OURS = ['table', 'inet', 'meshtoll']
const FOREIGN = `table inet meshtoll {
  comment "of another program"
  counter seen {
    packets 3 bytes 300
  }
  chain post {
    type filter hook postrouting priority 50; policy accept;
    counter name "seen"
  }
}
`

/** node, main.js, agent */
const ARGV_BEFORE_FLAGS = 3

const withFlows = (flows: object): LabOptions => ({ spec: ONE_NODE, options: { flows } })
const nft = (topology: Topology, ...argv: readonly string[]): Promise<string> => topology.run('n1', ['nft', ...argv])
const hasTable = async (topology: Topology): Promise<boolean> => (await nft(topology, 'list', 'tables')).includes('inet meshtoll')
const noteOf = async (agent: NodeAgent): Promise<string | undefined> =>
  (await agent.snapshot()).sources.find(({ name }) => name === 'flows')?.note

interface Ended extends Exit {
  readonly said: readonly string[]
}

/** Another agent on the same node, with a state directory and a port of its own. */
async function startSecond(topology: Topology, { stateDir, configFile, argv }: NodeAgent): Promise<Ended> {
  const folder = join(stateDir, '..', 'second')
  await mkdir(folder, { recursive: true })
  const own = [`--config.file=${configFile}`, `--state.dir=${folder}`, '--web.listen-address=127.0.0.1:0']
  const program = topology.start('n1', [...argv.slice(0, ARGV_BEFORE_FLAGS), ...own], { capabilities: ['net_admin'] })
  const exit = await endOf(program)
  return { ...exit, said: program.stderr().trimEnd().split('\n') }
}

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('an owned table is out of reach while its agent lives', async (t) => {
      const { topology, truth, agents } = await createLab(t, withFlows({ interval: '200ms' }))
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const stream = await topology.peer('p1a').pace(STREAM)
      for (let turn = 0; turn < 5; turn++) {
        await nft(topology, 'flush', 'ruleset')
        await t.rejects(nft(topology, 'delete', ...OURS), /Operation not permitted/)
        await t.rejects(nft(topology, 'flush', 'chain', 'inet', 'meshtoll', 'post'), /Operation not permitted/)
        await sleep(100)
      }
      await stream.close()
      const sent = await truth.sentBy('p1a')
      t.equal(await pair.servedAt(agent, sent), sent)
      t.equal(await gapSeconds(agent), 0)
      t.equal(await noteOf(agent), '', 'it is owned')
      t.equal(timesSaid(agent.log(), /level=(warn|error)/), 0)
    })

    const destructions = [
      { name: 'flush ruleset', argv: ['flush', 'ruleset'] },
      { name: 'delete table', argv: ['delete', ...OURS] },
    ]
    for (const { name, argv } of destructions) {
      t.test(`${name} on a table without an owner: made again within a second, and the time is a gap`, async (t) => {
        const { topology, agents } = await createLab(t, withFlows(UNOWNED))
        const agent = agents.on('n1')
        const pair = await createOnePair(topology)
        const watcher = createWatcher()
        t.match(await noteOf(agent), /not protected/)
        const before = await pair.send(100)
        t.equal(await pair.servedAt(agent, before), before)
        watcher.falls(await agent.metrics())

        const destroyedMs = performance.now()
        await nft(topology, ...argv)
        await eventually('the table', async () => ((await hasTable(topology)) ? true : undefined), 2_000)
        const backMs = performance.now()
        const fresh = await pair.send(40)
        t.equal(await pair.servedAt(agent, before + fresh), before + fresh, 'the old total goes on, with the new bytes')
        t.same(watcher.falls(await agent.metrics()), [], 'nothing falls')
        const gap = await gapSeconds(agent)
        const real = (backMs - destroyedMs) / 1000
        t.ok(gap > 0 && gap < real + 1.5, `a gap of ${gap} s, of which ${real} s were real`)
        t.equal(timesSaid(agent.log(), CHANGED), 1, 'said once')
        t.match((await agent.snapshot()).books, { difference: 0 })

        await agent.kill()
        await agent.start()
        t.equal(await pair.served(agent), before + fresh, 'the state knows the new table')
        t.same(watcher.falls(await agent.metrics()), [])
        t.equal(await gapSeconds(agent), gap)
      })
    }

    t.test('a table without an owner is flushed again and again under load: never a byte too many, never a fall', async (t) => {
      const { topology, truth, agents } = await createLab(t, withFlows({ ...UNOWNED, interval: '200ms' }))
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const watcher = createWatcher()
      const stream = await topology.peer('p1a').pace(STREAM)
      for (let turn = 0; turn < 6; turn++) {
        await nft(topology, 'flush', 'ruleset')
        const end = performance.now() + 500
        while (performance.now() < end) {
          t.same(watcher.falls(await agent.metrics()), [])
          await sleep(50)
        }
      }
      await stream.close()
      const sent = await truth.sentBy('p1a')
      const [now] = await agents.atRest()
      const served = await pair.served(agent)
      t.ok(served > 0 && served < sent, `${served} of ${sent} bytes`)
      t.match(now?.books, { difference: 0 })
      t.equal(timesSaid(agent.log(), CHANGED), 1, 'said once a minute')
      t.ok((await gapSeconds(agent)) > 0)
    })

    const whileAway = [
      {
        name: 'its rules are flushed while the agent is dead: what was counted stays, the rest is a gap',
        damage: (topology: Topology) => nft(topology, 'flush', 'chain', 'inet', 'meshtoll', 'post'),
        end: 'kill',
        keeps: true,
      },
      {
        name: 'it is deleted while the agent is dead: totals start over',
        damage: (topology: Topology) => nft(topology, 'delete', ...OURS),
        end: 'kill',
        keeps: false,
      },
      {
        name: 'it is deleted after a clean stop: totals go on',
        damage: (topology: Topology) => nft(topology, 'delete', ...OURS),
        end: 'stop',
        keeps: true,
      },
    ] as const
    // The kernel protects a table as long as its owner lives.
    for (const { name, damage, end, keeps } of whileAway) {
      t.test(name, async (t) => {
        const { topology, agents } = await createLab(t, withFlows({ interval: '200ms' }))
        const agent = agents.on('n1')
        const pair = await createOnePair(topology)
        const first = await pair.send(60)
        t.equal(await pair.servedAt(agent, first), first)
        // The next one begins with a checkpoint, in which these are; what comes after it is in none.
        await agent.kill()
        await agent.start()
        const before = first + (await pair.send(40))
        t.equal(await pair.servedAt(agent, before), before)
        await agent[end]()
        const counted = await pair.send(10)
        await damage(topology)
        const damagedMs = performance.now()
        await pair.send(1_000)
        const known = keeps ? before + (end === 'kill' ? counted : 0) : 0
        await sleep(1_200)
        await agent.start()
        const awaySeconds = (performance.now() - damagedMs) / 1000
        t.equal(await pair.served(agent), known)
        const fresh = await pair.send(7)
        t.equal(await pair.servedAt(agent, known + fresh), known + fresh)
        const gap = await gapSeconds(agent)
        t.ok(gap >= 1.2 && gap < awaySeconds + 12, `a gap of ${gap} s, of which at most ${awaySeconds} s were real`)
        t.match((await agent.snapshot()).books, { difference: 0 })
      })
    }

    t.test('a table of our name that we did not write is left as it is', async (t) => {
      const { topology, agents } = await createLab(t, withFlows({}))
      const agent = agents.on('n1')
      await agent.stop()
      await nft(topology, 'delete', ...OURS)
      await topology.run('n1', ['nft', '-f', '-'], { input: FOREIGN })
      const before = await nft(topology, '-a', 'list', ...OURS)
      const program = agent.launch()
      t.same(await endOf(program), { code: 1, signal: null })
      t.match(
        program.stderr(),
        /^meshtoll: the nftables table inet meshtoll was not written by meshtoll\n {2}rename it, or set flows\.table to another name\n$/,
      )
      t.equal(await nft(topology, '-a', 'list', ...OURS), before)
    })

    for (const ownership of ['auto', 'off'] as const) {
      t.test(`a second agent on the node refuses, and the first does not notice (ownership ${ownership})`, async (t) => {
        const { topology, truth, agents } = await createLab(t, withFlows({ ownership, interval: '200ms' }))
        const agent = agents.on('n1')
        const pair = await createOnePair(topology)
        const stream = await topology.peer('p1a').pace(STREAM)
        const { code, said } = await startSecond(topology, agent)
        t.equal(code, 1)
        t.match(said, [
          /^meshtoll: another meshtoll agent counts in this network namespace \(table inet meshtoll: its lock is held\)$/,
          /^ {2}stop it, or give this one /,
        ])
        t.equal(said.length, 2, 'and no more')
        await agent.kill()
        await agent.start()
        await stream.close()
        const sent = await truth.sentBy('p1a')
        t.equal(await pair.servedAt(agent, sent), sent, 'after kill -9 of the first the next starts at once, and every byte is there')
        t.equal(await noteOf(agent).then(Boolean), ownership === 'off', 'an orphaned owned table is owned again')
        t.equal(await gapSeconds(agent), 0)
      })
    }
  },
  { timeoutMs: 180_000 },
)
