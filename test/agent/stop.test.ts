import t from 'tap'
import { inNamespace } from '../kernel/in-namespace.js'
import { setUpNode } from '../sources/flows/small-node.js'
import { createAgentHere } from './agent-here.js'
import { uninstall } from './uninstall.js'

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(uninstall)

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
