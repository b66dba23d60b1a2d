// A whole agent without flows, in this process: what it serves, and what becomes of it when it is killed.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { createAgent } from '../../src/agent/agent.js'
import type { Agent } from '../../src/agent/parts.js'
import { defaultConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { createDisk } from '../../src/disk.js'
import { files } from '../../src/files.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { createKeptLog } from '../kube/kept-log.js'
import { CLOCK } from '../sources/flows/small-node.js'

const WITHIN_MS = 20_000

interface AgentParts {
  readonly kubeconfig: string
  readonly stateDir: string
  readonly kubelet?: Config['kubelet']
  readonly istiod?: Partial<Config['istiod']>
}

export async function startAgent(t: Test, { kubeconfig, stateDir, kubelet, istiod }: AgentParts) {
  const defaults = defaultConfig('n1')
  const config = {
    ...defaults,
    flows: { ...defaults.flows, enabled: false },
    kubernetes: { ...defaults.kubernetes, kubeconfig },
    kubelet: kubelet ?? { ...defaults.kubelet, enabled: false },
    istiod: { ...defaults.istiod, ...istiod },
  }
  const log = createKeptLog()
  const disk = createDisk(stateDir)
  let isDead = false
  /** What a dead process would still write. */
  const unlessDead =
    <Args extends readonly unknown[]>(write: (...args: Args) => Promise<void>) =>
    (...args: Args): Promise<void> =>
      isDead ? Promise.reject(new Error('killed')) : write(...args)
  const writes = { append: unlessDead(disk.append), replace: unlessDead(disk.replace), rename: unlessDead(disk.rename) }
  const agent = createAgent(
    {
      config,
      inventory: { entries: [], text: '' },
      // In a pod on the network of pods: the node has another address.
      environment: { NODE_IP: '192.0.2.1' },
      host: { cpus: 2, memoryBytes: 2 ** 32, nodeVersion: process.version },
    },
    {
      clock: CLOCK,
      log,
      openNetlink: await loadNetlink(),
      takeLock: () => undefined,
      ...files,
      parseInventory: async () => ({ entries: [], mistakes: [] }),
      random: randomUUID,
      disk: { ...disk, ...writes, remove: unlessDead(disk.remove) },
      cpuUsage: () => process.cpuUsage(),
    },
  )
  const life = new AbortController()
  await agent.start(life.signal)
  const running = agent.run(life.signal)
  /** Answers with what it had complained of. */
  const kill = async (): Promise<readonly string[]> => {
    isDead = true
    const complaints = log.lines.filter((line) => /^(warn|error)/.test(line))
    life.abort(new Error('killed'))
    await running.catch(() => undefined)
    await disk.close()
    return complaints
  }
  t.teardown(() => kill())
  return { agent, kill, log }
}

/** `meshtoll_` families by their labels. */
export function servedBy(agent: Agent, family: string): Promise<Readonly<Record<string, number>>> {
  return agent.withSnapshot(async ({ families }) => {
    const series = [...(families.find((one) => one.family.name === `meshtoll_${family}`)?.series ?? [])]
    return Object.fromEntries(series.map(({ labels, value }) => [Object.values(labels).join('/'), value]))
  })
}

export async function eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!(await holds()) && performance.now() < deadline) await sleep(50)
}
