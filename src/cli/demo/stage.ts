// The demo inside its world: namespaces, agents and traffic, in the order in which they must come.
import { createTopology, hasIpv6, type Topology } from '../../lab/topology.js'
import type { CommandDeps } from '../commands.js'
import { type Agents, startAgents } from './agents.js'
import { readSentBytes, type SentBytes } from './interfaces.js'
import type { AgentSnapshot } from './snapshots.js'
import { podsOf, type Story, topologyOf } from './story.js'
import { type Flowing, startTraffic } from './traffic.js'

export interface Stage {
  readonly story: Story
  readonly agents: Agents
  readonly ipv6: boolean
  startTraffic(): Promise<Flowing>
  /** At nearly one instant. */
  look(signal: AbortSignal): Promise<Sight>
  /** When nothing has been sent for a while and every agent has read that. */
  rest(signal: AbortSignal): Promise<Sight>
}

export interface Sight {
  readonly atMs: number
  readonly agents: readonly AgentSnapshot[]
  readonly interfaces: SentBytes
}

export interface StageParts {
  readonly story: Story
  readonly main: string
  readonly flags: readonly string[]
}

const QUIET_MS = 300
const RESTS_WITHIN_MS = 10_000

export async function createStage(
  { story, main, flags }: StageParts,
  { clock }: Pick<CommandDeps, 'clock'>,
  signal: AbortSignal,
): Promise<Stage> {
  const topology = await createTopology(topologyOf(story))
  const ipv6 = hasIpv6()
  // Each is a program; starting them now, side by side, is the longest part.
  startPeers(topology, story)
  const agents = await startAgents({ story, topology, clock, main, flags }, signal)

  async function look(signal: AbortSignal): Promise<Sight> {
    const snapshots = await agents.snapshots(signal)
    return { atMs: clock.monotonic(), agents: snapshots, interfaces: await readSentBytes(topology, story) }
  }

  async function rest(signal: AbortSignal): Promise<Sight> {
    const deadlineMs = clock.monotonic() + RESTS_WITHIN_MS
    const quietSince = await quiet(deadlineMs, signal)
    for (;;) {
      const sight = await look(signal)
      if (sight.agents.every(({ at }) => Date.parse(at) > quietSince)) return sight
      if (clock.monotonic() > deadlineMs) throw new Error('an agent does not read the kernel any more')
      await clock.sleep(50, signal)
    }
  }

  /** The time since when no interface has sent anything. */
  async function quiet(deadlineMs: number, signal: AbortSignal): Promise<number> {
    for (let before = ''; ; ) {
      const nowMs = clock.now()
      const now = JSON.stringify([...(await readSentBytes(topology, story))])
      if (now === before) return nowMs
      if (clock.monotonic() > deadlineMs) throw new Error('the traffic does not end')
      before = now
      await clock.sleep(QUIET_MS, signal)
    }
  }

  return { story, agents, ipv6, startTraffic: () => startTraffic({ story, peer: topology.peer, clock, ipv6 }), look, rest }
}

function startPeers({ peer }: Topology, story: Story): void {
  for (const { name } of [...podsOf(story), ...story.hosts, ...story.nodes]) peer(name)
}
