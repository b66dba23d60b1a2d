import t from 'tap'
import { inNamespace } from '../kernel/in-namespace.js'
import { nft } from '../kernel/nft.js'
import { setUpNode } from '../sources/flows/small-node.js'
import { createAgentHere } from './agent-here.js'
import { uninstall } from './uninstall.js'

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(uninstall)

  t.test('nothing to uninstall: nothing is made', async (t) => {
    const { agent, lines } = await createAgentHere(t, { stateDir: t.testdir(), skew: { wallMs: 0, monotonicMs: 0 } })
    t.equal(await agent.uninstall(AbortSignal.timeout(10_000)), false)
    t.same(lines, [])
    t.equal(nft('list', 'tables').trim(), '')
  })

  t.test('uninstall while another agent counts', async (t) => {
    const skew = { wallMs: 0, monotonicMs: 0 }
    const stateDir = t.testdir()
    const running = await createAgentHere(t, { stateDir, skew })
    await running.agent.start(AbortSignal.timeout(10_000))
    const { agent } = await createAgentHere(t, { stateDir, skew })
    await t.rejects(agent.uninstall(AbortSignal.timeout(10_000)), { name: 'TableInUse', message: /; stop that agent first$/ })
    running.kill()
    const elsewhere = await createAgentHere(t, { stateDir: t.testdir({ other: {} }), skew })
    await t.rejects(
      elsewhere.agent.uninstall(AbortSignal.timeout(10_000)),
      { name: 'TableUnknown', message: /no state for it is in --state\.dir/ },
      'its totals are not at hand',
    )
    elsewhere.kill()
    t.equal(await agent.uninstall(AbortSignal.timeout(10_000)), true)
    t.equal(nft('list', 'tables').trim(), '')
  })

  t.test('a table that is there is adopted, and the log says so', async (t) => {
    const stateDir = t.testdir()
    const skew = { wallMs: 0, monotonicMs: 0 }
    for (const change of ['made', 'adopted']) {
      const { agent, lines, stop } = await createAgentHere(t, { stateDir, skew })
      await agent.start(AbortSignal.timeout(10_000))
      t.match(lines[0], `"change":"${change}"`)
      await stop()
    }
  })

  const cases = [
    {
      name: 'the state is written',
      stateDir: t.testdir(),
      last: /^info stopped; the kernel table stays and counts on, so that the next start/,
    },
    { name: 'it cannot be', stateDir: '/proc/nope', last: /^warn stopped; the kernel table counts on, but the state could not be written/ },
  ]
  for (const { name, stateDir, last } of cases) {
    t.test(`the last line, when ${name}`, async (t) => {
      const { agent, lines, stop } = await createAgentHere(t, { stateDir, skew: { wallMs: 0, monotonicMs: 0 } })
      await agent.start(AbortSignal.timeout(10_000))
      await stop()
      t.match(lines.at(-1), last)
    })
  }
})
