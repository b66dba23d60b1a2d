import t from 'tap'
import type { OpenNetlink } from '../../src/deps.js'
import { inNamespace } from '../kernel/in-namespace.js'
import { IPV4_UDP, sendTo, setUpNode } from '../sources/flows/small-node.js'
import { type AgentHere, createAgentHere, flowTo, gapOf, type Skew, servedOf } from './agent-here.js'
import { uninstall } from './uninstall.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const STOCK = '10.9.0.1'
const WEB = '10.9.128.1'
const bytesOf = (packets: number): number => packets * (100 + IPV4_UDP)

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(uninstall)

  const jumps = [
    { name: 'set back an hour', ms: -HOUR_MS },
    { name: 'set forward a day', ms: DAY_MS },
    { name: 'set back before the table was made, and forward again', ms: -DAY_MS, later: 2 * DAY_MS },
  ]
  for (const end of ['stop', 'kill'] as const) {
    for (const { name, ms, later = 0 } of jumps) {
      t.test(`the clock is ${name} while it counts, and the agent ends by ${end}`, async (t) => {
        const skew: Skew = { wallMs: 0, monotonicMs: 0 }
        const stateDir = t.testdir()
        let here = await createAgentHere(t, { stateDir, skew })
        await here.agent.start(AbortSignal.timeout(10_000))
        let packets = 0
        const expect = async (agent: AgentHere, when: string): Promise<void> => {
          await sendTo([STOCK], { times: 3 })
          packets += 3
          const snapshot = await agent.snapshot()
          t.equal(flowTo(snapshot, 'stock'), bytesOf(packets), when)
          t.equal(flowTo(snapshot, 'web'), bytesOf(1), `${when}: an idle series is still there`)
          t.equal(gapOf(snapshot), 0, `${when}: no gap`)
        }
        await sendTo([WEB])
        await expect(here, 'before')
        skew.wallMs += ms
        await expect(here, 'after')
        await expect(here, 'in the reading after that')
        await here[end]()
        await sendTo([STOCK], { times: 2 })
        packets += 2
        here = await createAgentHere(t, { stateDir, skew })
        await here.agent.start(AbortSignal.timeout(10_000))
        await expect(here, 'after a restart')
        skew.wallMs += later
        await expect(here, 'when it has jumped again')
        here.kill()
        skew.wallMs -= ms + later
        here = await createAgentHere(t, { stateDir, skew })
        await here.agent.start(AbortSignal.timeout(10_000))
        await expect(here, 'when it was set right while the agent was dead')
        t.same(
          here.lines.filter((line) => !line.startsWith('info')),
          [],
        )
      })
    }
  }

  t.test('a series is withdrawn by time that passed, and by that alone', async (t) => {
    const skew: Skew = { wallMs: 0, monotonicMs: 0 }
    const here = await createAgentHere(t, { stateDir: t.testdir(), skew })
    await here.agent.start(AbortSignal.timeout(10_000))
    await sendTo([WEB])
    t.equal(flowTo(await here.snapshot(), 'web'), bytesOf(1))
    skew.monotonicMs += HOUR_MS - 60_000
    t.equal(flowTo(await here.snapshot(), 'web'), bytesOf(1), 'not yet an hour')
    skew.monotonicMs += 120_000
    const snapshot = await here.snapshot()
    t.equal(flowTo(snapshot, 'web'), undefined, 'more than an hour')
    t.equal(gapOf(snapshot), 0)
    await sendTo([WEB], { times: 2 })
    t.equal(flowTo(await here.snapshot(), 'web'), bytesOf(2), 'when it returns it begins at 0')
  })

  t.test('series.zeroFirst: at 0 first, then in full, whatever the clock does', async (t) => {
    const skew: Skew = { wallMs: 0, monotonicMs: 0 }
    const stateDir = t.testdir()
    const config = { series: { zeroFirstMs: 30_000 } }
    const here = await createAgentHere(t, { stateDir, skew, config })
    await here.agent.start(AbortSignal.timeout(10_000))
    await sendTo([STOCK], { times: 5 })
    const early = await here.snapshot()
    t.equal(flowTo(early, 'stock'), 0)
    t.equal(
      flowTo(await here.agent.withSnapshot(async (snapshot) => snapshot, { zeroFirst: false }), 'stock'),
      bytesOf(5),
      'no rate is taken',
    )
    t.equal(servedOf(early, 'meshtoll_zone_bytes_total', { dst_zone: 'there' }), bytesOf(5), 'zones are never at 0 first')
    t.ok(early.books.posted >= bytesOf(5), 'the books know nothing of it')
    skew.wallMs += DAY_MS
    t.equal(flowTo(await here.snapshot(), 'stock'), 0, 'a clock that is set forward does not shorten it')
    skew.wallMs -= 2 * DAY_MS
    skew.monotonicMs += 30_000
    t.equal(flowTo(await here.snapshot(), 'stock'), bytesOf(5), 'one that is set back does not lengthen it')
    await sendTo([WEB])
    t.equal(flowTo(await here.snapshot(), 'web'), 0, 'another one')
    here.kill()
    const next = await createAgentHere(t, { stateDir, skew, config })
    await next.agent.start(AbortSignal.timeout(10_000))
    const later = await next.snapshot()
    t.equal(flowTo(later, 'stock'), bytesOf(5), 'after a restart what was served is served')
    t.equal(flowTo(later, 'web'), bytesOf(1))
  })

  t.test('a read that takes long: how old it is counts from its beginning', async (t) => {
    const skew: Skew = { wallMs: 0, monotonicMs: 0 }
    let questions = 0
    const slowly =
      (open: OpenNetlink): OpenNetlink =>
      (...protocol) => {
        const socket = open(...protocol)
        return {
          ...socket,
          send(message) {
            questions++
            skew.monotonicMs += 400
            socket.send(message)
          },
        }
      }
    const { agent } = await createAgentHere(t, { stateDir: t.testdir(), skew, through: slowly })
    const look = () => agent.withSnapshot(async (snapshot) => ({ snapshot, questions }))
    await agent.start(AbortSignal.timeout(10_000))
    await sendTo([STOCK])
    const [one, two] = await Promise.all([look(), look()])
    t.equal(flowTo(one.snapshot, 'stock'), bytesOf(1), 'what came after the kernel was read is not left out')
    t.equal(two.questions, one.questions, 'who asked before it began shares it')
  })
})
