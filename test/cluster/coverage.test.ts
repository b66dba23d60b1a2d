// Nodes join, crash, come back and leave under load: nothing is posted twice, and what is missed is said.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { booked, endOf, flowBytes } from '../lab/agents.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { CLUSTER_PEERS } from './cluster.js'
import { createMoving, handover, holdMissed } from './handover.js'
import { createTalkers, SIZE, says, talk, talkUntil } from './talk.js'

const HEARD_MS = 2_500

type Lab = Awaited<ReturnType<typeof createTalkers>>
type Agents = Awaited<ReturnType<Lab['startAgents']>>

/** All talk until it ends; then nothing was posted twice by these and those that came since, and what is missed is said. */
async function beginTalking(t: Test, { lab, first }: { readonly lab: Lab; readonly first: Agents }) {
  const [before, sentBefore] = [await first.atRest(), await lab.truth.total()]
  let isOver = false
  const talking = talkUntil(lab, () => isOver)
  return {
    async endsWith(later: Agents, moving: ReturnType<typeof createMoving>): Promise<void> {
      isOver = true
      await talking
      const all = [...(await first.atRest()), ...(await later.atRest())]
      holdMissed(t, { before, all, sent: (await lab.truth.total()) - sentBefore, moving })
      t.equal(booked(all, 'pending'), 0)
    },
  }
}

async function uninstall(t: Test, { lab, agent }: { readonly lab: Lab; readonly agent: ReturnType<Agents['on']> }): Promise<void> {
  const program = lab.topology.start('n2', [...agent.argv, '--uninstall'], { capabilities: ['net_admin'] })
  t.same(await endOf(program, 20_000), { code: 0, signal: null }, program.stderr())
}

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false

    t.test('a node that joins: what is sent until all know of it is handed over, to the byte', { skip }, async (t) => {
      const lab = await createTalkers(t)
      const options = { flows: { interval: '1s' }, identity: { handover: '8s' } }
      const first = await lab.startAgents({ options, nodes: ['n1', 'n3'] })
      await says(first, /covers its pods/)
      const sentBefore = await lab.truth.total()
      const [before, ownBefore] = [await first.atRest(), sentBefore]
      await talk(lab, 50)
      const alone = await first.atRest()
      t.equal(flowBytes(alone) - flowBytes(before), (await lab.truth.total()) - ownBefore, 'the others post for it')

      const joining = await lab.startAgents({ options, nodes: ['n2'] })
      await says(joining, /joins the nodes/)
      await sleep(HEARD_MS)
      await talk(lab, 70)
      await joining.atRest()
      t.match(joining.on('n2').log(), /^(?!.*covers its pods)/s, 'it has not begun yet')
      await says(joining, /covers its pods/)
      await sleep(HEARD_MS)
      await talk(lab, 90)
      const all = [...(await first.atRest()), ...(await joining.atRest())]
      const missed = (await lab.truth.total()) - sentBefore - (flowBytes(all) - flowBytes(before))
      t.equal(missed, 2 * 70 * (SIZE + 28), 'what it sent while it joined')
      t.equal(handover(all) - handover(before), missed)
      t.equal(booked(all, 'pending'), 0)
    })

    t.test('under load, through joining, kill -9 and leaving: nothing twice', { skip }, async (t) => {
      const lab = await createTalkers(t)
      const options = { flows: { interval: '1s' }, identity: { handover: '4s' } }
      const stable = await lab.startAgents({ options, nodes: ['n1', 'n3'] })
      await says(stable, /covers its pods/)
      const talking = await beginTalking(t, { lab, first: stable })
      const moving = createMoving(lab.topology, 'p2a')
      const changing = await moving.during(async () => {
        const started = await lab.startAgents({ options, nodes: ['n2'] })
        await says(started, /covers its pods/)
        await sleep(2_000)
        return started
      })
      const agent = changing.on('n2')
      const handedOver = async (): Promise<number> => handover([await agent.snapshot()])
      const joined = await handedOver()
      await agent.kill()
      await sleep(1_500)
      await agent.start()
      await sleep(3_000)
      t.ok(joined > 0)
      t.equal(await handedOver(), joined, 'a crash hands nothing over')
      await agent.stop()
      await moving.during(async () => {
        await uninstall(t, { lab, agent })
        await sleep(2_000)
      })
      await sleep(1_000)
      await moving.during(async () => {
        await agent.start()
        await says(changing, /covers its pods/)
        await sleep(2_000)
      })
      await talking.endsWith(changing, moving)
    })

    t.test(
      'a node that joins, and leaves again, while another agent stands still: nothing twice, and what is missed is said',
      { skip },
      async (t) => {
        const lab = await createTalkers(t)
        const options = { flows: { interval: '1s' }, identity: { handover: '4s' } }
        const first = await lab.startAgents({ options, nodes: ['n1', 'n3'] })
        await says(first, /covers its pods/)
        const talking = await beginTalking(t, { lab, first: first })
        const { program } = first.on('n1')
        /** Until it has heard of it, and what waited is placed. */
        const standStill = async <T>(change: () => Promise<T>): Promise<T> => {
          program.signal('SIGSTOP')
          const changed = await change()
          program.signal('SIGCONT')
          await sleep(13_000)
          return changed
        }
        const moving = createMoving(lab.topology, 'p2a')
        const joined = await moving.during(() =>
          standStill(async () => {
            const started = await lab.startAgents({ options, nodes: ['n2'] })
            await says(started, /covers its pods/)
            await sleep(4_000)
            return started
          }),
        )
        const agent = joined.on('n2')
        await agent.stop()
        await moving.during(() =>
          standStill(async () => {
            await uninstall(t, { lab, agent })
            await sleep(6_000)
          }),
        )
        await moving.during(async () => {
          await agent.start()
          await says(joined, /covers its pods/)
          await sleep(2_000)
        })
        await talking.endsWith(joined, moving)
        t.equal(
          first
            .on('n1')
            .log()
            .match(/msg="this process or its machine stood still/g)?.length,
          2,
        )
      },
    )
  },
  { timeoutMs: 360_000 },
)
