// What the agent may do decides what it can tell: with CAP_NET_ADMIN alone everything, with nothing at all everything but flows.
import { readFile, writeFile } from 'node:fs/promises'
import type { Exit } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import { endOf, type NodeAgent } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { createOnePair, timesSaid } from './one-pair.js'
import { worldTest } from './world.js'

const REMEDY =
  /counting flows needs CAP_NET_ADMIN \(could not [^\n]*: EPERM, operation not permitted\); run as root, or give the process CAP_NET_ADMIN and nothing else/
const COMPLAINT = new RegExp(`^meshtoll: ${REMEDY.source.replace('; ', '\\n {2}')}\\n$`)
const OFTEN = { interval: '200ms' }

const listTables = (topology: Topology): Promise<string> => topology.run('n1', ['nft', 'list', 'tables'])

/** The agent's own options with others of `flows`, and no capability. */
async function runWith(topology: Topology, agent: NodeAgent, flows: object): Promise<Exit & { readonly said: string }> {
  await setFlows(agent, flows)
  const program = topology.start('n1', agent.argv, { capabilities: [] })
  const exit = await endOf(program)
  return { ...exit, said: program.stderr() }
}

async function setFlows({ configFile }: NodeAgent, flows: object): Promise<void> {
  const config = JSON.parse(await readFile(configFile, 'utf8')) as object
  await writeFile(configFile, JSON.stringify({ ...config, flows }))
}

const capabilitiesOf = async ({ program }: NodeAgent): Promise<string | undefined> =>
  /CapEff:\s*(\w+)/.exec(await readFile(`/proc/${program.pid}/status`, 'utf8'))?.[1]

await worldTest(import.meta.url, async (t) => {
  t.test('uid 0 with CAP_NET_ADMIN and nothing else', async (t) => {
    const { topology, truth, agents } = await createLab(t, { spec: ONE_NODE, options: { flows: OFTEN }, capabilities: ['net_admin'] })
    const agent = agents.on('n1')
    t.equal(await capabilitiesOf(agent), '0000000000001000')
    const pair = await createOnePair(topology)
    const sent = await pair.send(50)
    t.equal(await pair.servedAt(agent, sent), sent)
    balances(t, await agents.atRest(), await truth.total())
    t.equal(timesSaid(agent.log(), /level=(warn|error)/), 0, 'nothing is missing')
    t.equal(await agent.get('/-/ready'), 'ready\n')
    t.match(await agent.metrics(), /^meshtoll_state_writable 1$/m)
    await agent.restart()
    t.equal(await pair.servedAt(agent, sent), sent)
  })

  t.test('no capability at all: flows are off, all else works', async (t) => {
    const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: { flows: OFTEN }, capabilities: [] })
    const agent = agents.on('n1')
    t.equal(await capabilitiesOf(agent), '0000000000000000')
    const before = (await agent.snapshot()).series['meshtoll_node_network_receive_bytes_total'] ?? []
    const pair = await createOnePair(topology)
    await pair.send(50)
    await agents.atRest()

    const { sources, series } = await agent.snapshot()
    t.same(
      sources.filter(({ up }) => !up).map(({ name }) => name),
      ['flows'],
    )
    t.match(sources.find(({ name }) => name === 'flows')?.error, REMEDY)
    const received = new Map(
      (series['meshtoll_node_network_receive_bytes_total'] ?? []).map(({ labels, value }) => [labels['device'], value]),
    )
    const early = new Map(before.map(({ labels, value }) => [labels['device'], value]))
    t.ok(
      [...received].some(([device, value]) => value >= (early.get(device) ?? 0) + 50 * 528),
      'devices are counted',
    )

    const metrics = await agent.metrics()
    t.match(metrics, /^meshtoll_source_up\{source="flows"\} 0$/m)
    for (const name of ['net-dev', 'qdisc', 'inventory']) t.match(metrics, new RegExp(`^meshtoll_source_up\\{source="${name}"\\} 1$`, 'm'))
    t.match(metrics, /^process_cpu_seconds_total /m)
    t.match(metrics, /^meshtoll_state_writable 1$/m, 'that nothing was written is no failure')
    t.match(await agent.get('/'), /<html/)
    t.equal(await agent.get('/-/healthy'), 'ok\n')
    const ready = await agent.get('/-/ready')
    t.match(ready, /^ready\nwithout flows: /, 'it is ready, and says what is missing')
    t.match(ready, REMEDY)

    t.equal(timesSaid(agent.log(), /level=(warn|error)/), 1, agent.log())
    t.match(agent.log(), /level=warn msg="source cannot be read" source=flows error="counting flows needs CAP_NET_ADMIN/)
    t.notMatch(await listTables(topology), 'meshtoll')
    t.same(await agent.stop(), { code: 0, signal: null })
    t.notMatch(agent.log(), 'kernel table')
  })

  t.test('flows asked for or not', async (t) => {
    const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: { flows: { enabled: false } } })
    const agent = agents.on('n1')
    t.notMatch(await listTables(topology), 'meshtoll', 'no table is made where they are off')
    const metrics = await agent.metrics()
    t.notMatch(metrics, /source="flows"/, 'nor is it down what is off: nobody is to be woken')
    t.equal(await agent.get('/-/ready'), 'ready\n', 'and none is missed')
    t.equal(timesSaid(agent.log(), /level=(warn|error)/), 0)
    t.same(await agent.stop(), { code: 0, signal: null })

    const { code, said } = await runWith(topology, agent, { enabled: true })
    t.equal(code, 1, 'asked for and not to be had')
    t.match(said, COMPLAINT)
  })

  t.test('agent --uninstall without the capability', async (t) => {
    const { topology, agents } = await createLab(t, { spec: ONE_NODE })
    const agent = agents.on('n1')
    await agent.stop()
    const program = topology.start('n1', [...agent.argv, '--uninstall'], { capabilities: [] })
    t.equal((await endOf(program)).code, 1)
    t.match(program.stderr(), COMPLAINT)
    t.match(await listTables(topology), 'inet meshtoll')
  })
})
