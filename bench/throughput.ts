// TCP through a node that forwards between two pods, with the built agent and its table, and without both, in turns.
// Segmentation is left to the devices (GSO), as it is everywhere today: the kernel's rules see packets of up to 64 KiB.
import { createTopology, type Topology } from '../src/lab/topology.js'
import type { BenchOptions, Figure } from './figure.js'
import { startAgent } from './node-agent.js'
import { bootstrap, midmean } from './statistics.js'

const PORT = 5_000

/** Bits per nanosecond. */
interface Round {
  readonly on: number
  readonly off: number
}

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const topology = await createTopology({
    nodes: [
      {
        name: 'n1',
        zone: 'zone-1',
        address: '10.0.1.10',
        pods: [
          { name: 'from', address: '10.1.1.2' },
          { name: 'to', address: '10.1.1.3' },
        ],
      },
    ],
    hosts: [],
  })
  const sink = await topology.peer('to').listenTcp({ port: PORT })
  const rounds = await measureRounds(topology, quick ? { rounds: 2, bytes: 2e8 } : { rounds: 24, bytes: 1.5e9 })
  await sink.close()
  await topology.close()
  yield {
    number: 'TCP throughput with GSO, agent on / off',
    unit: 'x',
    measured: bootstrap(rounds, (drawn) => midmean(drawn.map(({ on }) => on)) / midmean(drawn.map(({ off }) => off))),
    bar: { least: 0.98 },
    beside: `${midmean(rounds.map(({ on }) => on)).toFixed(1)} / ${midmean(rounds.map(({ off }) => off)).toFixed(1)} Gbit/s`,
  }
}

async function measureRounds(topology: Topology, { rounds, bytes }: { rounds: number; bytes: number }): Promise<readonly Round[]> {
  const send = async (): Promise<number> => {
    const { seconds } = await topology.peer('from').sendTcp({ to: '10.1.1.3', port: PORT, bytes })
    return (bytes * 8) / seconds / 1e9
  }
  const withAgent = async (): Promise<number> => {
    const agent = await startAgent(topology, 'n1', { entries: [] })
    const rate = await send()
    await agent.uninstall()
    return rate
  }
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    // Which comes first changes, so that what drifts hits both alike.
    if (round % 2 === 0) measured.push({ on: await withAgent(), off: await send() })
    else {
      const off = await send()
      measured.push({ on: await withAgent(), off })
    }
  }
  return measured
}
