// kill -9 of an agent that pushes to Datadog, under load, while requests hang, break off and are refused: what the intake has in the end is what
// was sent, to the byte, less what the agent says nobody can know.
import { mkdtemp } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { reachFrom } from '../cluster/reach.js'
import { type Fault, startIntake, type TestIntake } from '../datadog/intake.js'
import { KEY } from '../datadog/judge.js'
import { reasonToSkip } from '../peers/needed.js'
import { exportSeries, runVictoriaMetrics } from '../victoriametrics.js'
import { endOf, sumOf } from './agents.js'
import { balances, createLab, type Lab, ONE_NODE } from './lab.js'
import { createOnePair } from './one-pair.js'
import { eventually, worldTest } from './world.js'

const KILLS = 6
const LIVES = 3
const PORT = 8126
/** Each first window goes out at once. */
const ALIVE_MS = 500
/** One for each life, by the number of its first request. */
const FAULTS: readonly (Fault | undefined)[] = [
  { kind: 'hang', keeps: true },
  { kind: 'hang', keeps: false },
  undefined,
  { kind: 'answer', status: 500, keeps: true },
  { kind: 'reset', keeps: true },
  { kind: 'answer', status: 200, text: '<html>Sign in</html>' },
]

interface Pushing {
  readonly lab: Lab
  readonly intake: TestIntake
}

async function startPushing(t: Test): Promise<Pushing> {
  const intake = await startIntake(t, { now: Date.now })
  const lab = await pushTo(t, new URL(intake.url))
  await eventually('a first window', () => (intake.bodies.length > 0 ? true : undefined))
  return { lab, intake }
}

async function pushTo(t: Test, { port, pathname }: URL): Promise<Lab> {
  const folder = await mkdtemp('/run/lab/datadog-')
  return createLab(t, {
    spec: ONE_NODE,
    options: {
      flows: { interval: '250ms' },
      // Of which neither Datadog nor a snapshot knows.
      series: { zeroFirst: '1h' },
      datadog: { enabled: true, url: `http://127.0.0.1:${PORT}${pathname}`, flushInterval: '10s' },
    },
    environment: () => ({ DD_API_KEY: KEY }),
    async prepare(made) {
      const reach = await reachFrom(made, ['n1'], { port: PORT, folder, target: () => Number(port) })
      t.teardown(() => reach.close())
    },
  })
}

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('kill -9 with Datadog on', async (t) => {
      const { lab, intake } = await startPushing(t)
      const { topology, truth, agents } = lab
      const agent = agents.on('n1')
      const [a, b] = [topology.peer('p1a'), topology.peer('p1b')]
      await b.listenTcp({ port: 8080 })
      await b.listenUdp({ port: 9 })
      const streams = [
        await a.pace({ protocol: 'tcp', to: '10.1.1.3', port: 8080, bytesPerSecond: 10_000_000 }),
        await a.pace({ protocol: 'udp', to: '10.1.1.3', port: 9, bytesPerSecond: 1_000_000 }),
      ]
      for (let turn = 0; turn < KILLS; turn++) {
        const fault = FAULTS[turn]
        intake.fault = () => fault
        const before = intake.requests
        await agent.kill()
        await agent.start()
        await eventually('a request', () => (intake.requests > before ? true : undefined))
        await sleep(Math.random() * ALIVE_MS)
      }
      await agent.kill()
      intake.fault = () => undefined
      await agent.start()
      for (const stream of streams) await stream.close()

      const all = await agents.atRest()
      const sent = await truth.total()
      balances(t, all, sent)
      const nothingWaits = async () => (sumOf([await agent.snapshot()], 'meshtoll_datadog_waiting_windows') === 0 ? true : undefined)
      await eventually('nothing that waits', nothingWaits)
      const uncertain = sumOf([await agent.snapshot()], 'meshtoll_datadog_uncertain_bytes_total', { metric: 'meshtoll.flow.bytes' })
      await agent.stop()
      t.ok(sent > 20_000_000, `${sent} bytes were sent meanwhile`)
      t.ok(intake.requests > KILLS)
      t.same(intake.problems, [])
      t.equal(intake.sum('meshtoll.flow.bytes'), sent - uncertain, 'pairs')
      t.equal(intake.sum('meshtoll.zone.bytes'), sent - uncertain, 'zones')
      t.equal(uncertain, 0, 'an hour has not passed')
    })

    t.test('what waits is tried once more at a stop, and by agent --uninstall', async (t) => {
      const { lab, intake } = await startPushing(t)
      const { topology, truth, agents } = lab
      const agent = agents.on('n1')
      intake.fault = () => ({ kind: 'answer', status: 503 })
      const pair = await createOnePair(topology)
      await pair.send(300)
      await agents.atRest()
      await agent.stop()
      const sent = await truth.total()
      t.match(
        agent.log(),
        /level=warn msg="what waits for Datadog stays in the state directory: the next start sends it" windows=\d+ oldest_s=/,
      )
      t.equal(intake.sum('meshtoll.flow.bytes'), 0)

      intake.fault = () => undefined
      const program = topology.start('n1', [...agent.argv, '--uninstall'], {
        capabilities: ['net_admin'],
        env: { ...process.env, DD_API_KEY: KEY },
      })
      t.match(await endOf(program), { code: 0 })
      t.match(program.stderr(), 'the kernel table is removed')
      t.notMatch(program.stderr(), 'what waits')
      t.equal(intake.sum('meshtoll.flow.bytes'), sent)
      t.same(intake.problems, [])
    })

    t.test('meshtoll datadog preview of an agent that runs: what came between its two looks, to the byte', async (t) => {
      const { lab, intake } = await startPushing(t)
      const { topology, agents } = lab
      const [main, ...flags] = agents.on('n1').argv.slice(1)
      const file = flags.find((flag) => flag.startsWith('--config.file='))
      const program = topology.start('n1', [process.execPath, `${main}`, 'datadog', 'preview', `${file}`, '--json'], {
        env: { ...process.env, DD_API_KEY: KEY },
      })
      await program.waitFor(/waiting 10 s, a window of datadog.flushInterval, for what the agent of n1 counts/, 10_000)
      const sent = await (await createOnePair(topology)).send(300)
      t.match(await endOf(program), { code: 0 }, program.stderr())
      const { series, customMetrics, ...rest } = JSON.parse(program.stdout())
      const values = (metric: string) =>
        series.flatMap((one: { metric: string; value: number }) => (one.metric === metric ? [one.value] : []))
      t.match(rest, { agent: 'http://localhost:10042', node: 'n1', seconds: 10, enabled: true })
      t.same([values('meshtoll.flow.bytes'), values('meshtoll.zone.bytes')], [[sent], [sent]])
      t.equal(customMetrics.window, series.length)
      await eventually('the push of the same', () => (intake.sum('meshtoll.flow.bytes') === sent ? true : undefined), 15_000)
      const pushed = intake.points().find(({ metric }) => metric === 'meshtoll.flow.bytes')
      t.same(series.find((one: { metric: string }) => one.metric === 'meshtoll.flow.bytes').tags, pushed?.tags, 'under the same tags')
    })

    t.test('VictoriaMetrics has what was sent, to the byte', { skip: reasonToSkip(['victoriametrics']) ?? false }, async (t) => {
      const judge = await runVictoriaMetrics(await mkdtemp('/run/lab/victoriametrics-'))
      t.teardown(() => judge.stop())
      const { topology, truth, agents } = await pushTo(t, new URL(`${judge.url}/datadog`))
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      for (let life = 0; life < LIVES; life++) {
        await pair.send(300)
        await agents.atRest()
        await agent.kill()
        await agent.start()
      }
      const sent = await truth.total()
      await agent.stop()
      const there = await exportSeries(judge.url, '{__name__="meshtoll.flow.bytes"}')
      t.ok(sent > 0)
      t.equal(
        there.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0),
        sent,
      )
    })
  },
  { timeoutMs: 180_000 },
)
