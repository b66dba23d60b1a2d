// Packets of which each test knows how many there are: from one pod to another on the same node.
import type { Topology } from '../../src/lab/topology.js'
import { between, type NodeAgent, sumOf } from './agents.js'
import { eventually } from './world.js'

const FROM = 'p1a'
const TO = { name: 'p1b', address: '10.1.1.3', port: 9 }
const SIZE = 500
const HEADERS = 28

export interface OnePair {
  /** Answers how many IP bytes that was. */
  send(packets: number): Promise<number>
  /** What the agent serves of the pair. */
  served(agent: NodeAgent): Promise<number>
  /** What it serves once that is `bytes`, else what it serves in the end. */
  servedAt(agent: NodeAgent, bytes: number): Promise<number>
}

export async function createOnePair(topology: Topology): Promise<OnePair> {
  await topology.peer(TO.name).listenUdp({ port: TO.port })
  const served = async (agent: NodeAgent): Promise<number> => between([await agent.snapshot()], FROM, TO.name)
  return {
    async send(packets) {
      await topology.peer(FROM).sendUdp({ to: [TO.address], port: TO.port, size: SIZE, packets })
      return packets * (SIZE + HEADERS)
    },
    served,
    async servedAt(agent, bytes) {
      const arrived = async (): Promise<true | undefined> => ((await served(agent)) >= bytes ? true : undefined)
      await eventually(`${bytes} bytes`, arrived, 3_000).catch(() => undefined)
      return served(agent)
    },
  }
}

/** Time in which nothing was counted, as served. */
export const gapSeconds = async (agent: NodeAgent): Promise<number> => sumOf([await agent.snapshot()], 'meshtoll_flow_gap_seconds_total')

/** How often the log says it. */
export const timesSaid = (log: string, words: RegExp): number => log.split('\n').filter((line) => words.test(line)).length
