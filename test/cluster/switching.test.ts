// directory.enabled is switched on while agents run, and off again: the rules change at once, agents are replaced one after the other.
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAgentAccess } from '../deploy/access.js'
import { booked, flowBytes, type NodeAgent } from '../lab/agents.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import type { ClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { startDirectories } from './directories.js'
import { handover } from './handover.js'
import { change } from './resource.js'
import { createTalkers, says, talkUntil } from './talk.js'

const OPTIONS = { flows: { interval: '1s' }, identity: { handover: '2s' } }

async function giveRulesOf(manifest: 'full' | 'full-directory', { cluster }: ClusterLab): Promise<void> {
  const { objects } = await readAgentAccess(manifest)
  for (const object of objects.filter(({ kind }) => kind.endsWith('Role'))) await change(cluster.admin, object, { rules: object['rules'] })
}

async function replaceAgent(agent: NodeAgent, directory: object | undefined): Promise<void> {
  const config = JSON.parse(await readFile(agent.configFile, 'utf8'))
  await writeFile(agent.configFile, JSON.stringify({ ...config, kubernetes: { ...config.kubernetes, directory } }))
  await agent.restart()
  await sleep(1_500)
}

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? false
    t.test('on, and off again, under load: every byte is posted, once', { skip }, async (t) => {
      const lab = await createTalkers(t)
      const directories = await startDirectories(t, lab)
      const agents = await lab.startAgents({ options: OPTIONS })
      await says(agents, /covers its pods/)
      await sleep(2_500)
      const [before, sentBefore] = [await agents.atRest(), await lab.truth.total()]
      let isOver = false
      const talking = talkUntil(lab, () => isOver)
      await giveRulesOf('full-directory', lab)
      for (const agent of agents.all) await replaceAgent(agent, directories.options)
      await says(agents, /covers its pods/)
      for (const { node, log } of agents.all) t.notMatch(log(), /level=(warn|error)/, node)
      await giveRulesOf('full', lab)
      for (const agent of agents.all) await replaceAgent(agent, undefined)
      isOver = true
      await talking
      await sleep(4_000)
      const all = await agents.atRest()
      const sent = (await lab.truth.total()) - sentBefore
      t.equal(flowBytes(all) - flowBytes(before), sent)
      t.equal(handover(all), handover(before), 'nothing is handed over')
      t.equal(booked(all, 'pending'), 0)
      t.equal(flowBytes(all, { src_owner_name: '_unknown' }), 0, 'nor to nobody')
    })
  },
  { timeoutMs: 180_000 },
)
