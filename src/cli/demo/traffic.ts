// Makes the traffic of the story flow, and stops it so that nothing is left under way.
import type { Clock } from '../../deps.js'
import type { Peer, Running } from '../../lab/peer-client.js'
import type { Counts } from '../../lab/peer-protocol.js'
import type { Calls, Story, StoryPod, Traffic } from './story.js'

export interface TrafficParts {
  readonly story: Story
  readonly peer: (name: string) => Peer
  readonly clock: Clock
  /** Whether the kernel has it; what would use it takes IPv4 otherwise. */
  readonly ipv6: boolean
}

/** Payload that the kernel took. */
export interface Sent {
  readonly traffic: Traffic
  readonly bytes: number
  readonly packets: number
}

export interface Flowing {
  /** Rejects when something could not be sent. */
  stop(): Promise<readonly Sent[]>
}

type Tally = Pick<Counts, 'sentBytes' | 'sentPackets' | 'failed'>

interface Sender {
  /** Answers what has been sent in all. */
  stop(): Promise<Tally>
}

const TICK_MS = 250
const PARALLEL = 4

export async function startTraffic(parts: TrafficParts): Promise<Flowing> {
  await listen(parts)
  const senders = await Promise.all(parts.story.traffic.map(async (traffic) => ({ traffic, sender: await send(traffic, parts) })))
  return { stop: () => Promise.all(senders.map(async ({ traffic, sender }) => sentOf(traffic, await sender.stop()))) }
}

function sentOf(traffic: Traffic, { sentBytes, sentPackets, failed }: Tally): Sent {
  if (failed > 0) throw new Error(`${traffic.from} could not reach ${traffic.to} ${failed} times`)
  return { traffic, bytes: sentBytes, packets: sentPackets }
}

/** One listener for each port that somebody sends to. */
async function listen({ story, peer, ipv6 }: TrafficParts): Promise<void> {
  const listeners = new Map(story.traffic.map((traffic) => [`${traffic.to} ${traffic.port}`, traffic]))
  const start = (traffic: Traffic): Promise<Running> => {
    const { port, to } = traffic
    if (traffic.kind === 'datagrams') return peer(to).listenUdp({ port, host: ipv6 ? '::' : '0.0.0.0' })
    return peer(to).listenTcp(traffic.kind === 'calls' ? { port, request: traffic.request, response: traffic.response } : { port })
  }
  await Promise.all([...listeners.values()].map(start))
}

async function send(traffic: Traffic, parts: TrafficParts): Promise<Sender> {
  const from = parts.peer(traffic.from)
  const to = addressOf(traffic, parts)
  if (traffic.kind === 'calls') return call({ traffic, from, to }, parts.clock)
  const { port, bytesPerSecond } = traffic
  const kind = traffic.kind === 'stream' ? { protocol: 'tcp' as const } : { protocol: 'udp' as const, size: traffic.size }
  const running = await from.pace({ ...kind, to, port, bytesPerSecond })
  return { stop: running.close }
}

export function addressOf({ to, ipv6: isWanted = false }: Traffic, { story, ipv6 }: Pick<TrafficParts, 'story' | 'ipv6'>): string {
  const ends: readonly StoryPod[] = [...story.nodes.flatMap(({ pods }) => pods), ...story.hosts]
  const end = ends.find(({ name }) => name === to)
  if (!end) throw new Error(`nobody in the story is called ${to}`)
  return isWanted && ipv6 ? end.address6 : end.address
}

function call({ traffic, from, to }: { traffic: Calls; from: Peer; to: string }, clock: Clock): Sender {
  const { port, perSecond, request, response } = traffic
  const stopping = new AbortController()
  let sent: Tally = { sentBytes: 0, sentPackets: 0, failed: 0 }
  const repeat = async (): Promise<void> => {
    let made = 0
    for (const startedMs = clock.monotonic(); !stopping.signal.aborted; ) {
      const due = Math.floor(((clock.monotonic() - startedMs) / 1_000) * perSecond)
      const connections = Math.min(due - made, perSecond)
      made = due
      if (connections > 0) sent = added(sent, await from.exchange({ to, port, connections, request, response, parallel: PARALLEL }))
      await clock.sleep(TICK_MS, stopping.signal).catch(() => undefined)
    }
  }
  const done = repeat()
  // Told by stop(), not when it happens.
  done.catch(() => undefined)
  return {
    async stop() {
      stopping.abort()
      await done
      return sent
    },
  }
}

const added = (a: Tally, b: Tally): Tally => ({
  sentBytes: a.sentBytes + b.sentBytes,
  sentPackets: a.sentPackets + b.sentPackets,
  failed: a.failed + b.failed,
})
