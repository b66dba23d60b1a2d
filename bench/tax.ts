// What counting adds to the kernel's time for a small packet, held against the least that could count at all: one rule that updates a set.
//   pod ── node with conntrack ── far end that drops at its device
// Each round measures every variant once, in an order of its own; what is compared is paired within the round.
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopology, type Topology } from '../src/lab/topology.js'
import { startAsked } from './asked.js'
import type { BenchOptions, Figure } from './figure.js'
import { bootstrap, createRandom, midmean, shuffled } from './statistics.js'
import type { Variant } from './tax-table.js'
import { type Sender, startSender } from './volley.js'

const VARIANTS: readonly Variant[] = ['none', 'bare', 'plain', 'tunnel', 'full']
const LAYOUTS = [
  { variant: 'plain', what: 'nothing but pairs', bar: { most: 1.15 } },
  { variant: 'tunnel', what: 'and tunnels' },
  { variant: 'full', what: 'and rewritten sources' },
] as const

/** IP length 100. */
const PAYLOAD = 72
const SENDER_CPU = 1

type Round = Readonly<Record<Variant, number>>

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const rounds = quick ? 5 : 120
  // Short, so that a spell in which the machine is slower covers a whole round.
  const packets = quick ? 5_000 : 12_000
  const topology = await createTopology({
    nodes: [{ name: 'n1', zone: 'z', address: '10.0.1.10', pods: [{ name: 'pod', address: '10.1.0.2', ranges: ['10.1.128.0/17'] }] }],
    hosts: [],
  })
  await dropBehindNode(topology)
  await turnConntrackOn(topology)
  const table = startAsked<{ variant: Variant }, object>('n1', 'tax-table.ts')
  const install = (variant: Variant): Promise<object> => table.ask({ variant })
  for (const side of [1, 100]) {
    const sender = startSender(
      'pod',
      { from: '10.1.129.1', sources: side, to: '10.2.0.1', destinations: side, port: 9, size: PAYLOAD },
      { cpu: SENDER_CPU },
    )
    const measured = await measureRounds({ rounds, packets, pairs: side * side, sender, install })
    await sender.stop()
    yield* figuresOf(side * side, measured)
  }
  await table.stop()
  await topology.close()
}

const dropBehindNode = (topology: Topology): Promise<string> =>
  topology.run('cloud', ['nft', 'add table netdev sink { chain in { type filter hook ingress device n1 priority 0; policy drop; } ; }'])

/** As kube-proxy has it on every node. */
const turnConntrackOn = (topology: Topology): Promise<string> =>
  topology.run('n1', [
    'nft',
    'add table inet conntrack { chain forward { type filter hook forward priority 0; ct state invalid drop ; } ; }',
  ])

interface Plan {
  readonly rounds: number
  readonly packets: number
  readonly pairs: number
  readonly sender: Sender
  readonly install: (variant: Variant) => Promise<object>
}

/** Nanoseconds of the sender's time for a packet, by round and variant. */
async function measureRounds({ rounds, packets, pairs, sender, install }: Plan): Promise<readonly Round[]> {
  const random = createRandom(pairs)
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const times: Partial<Record<Variant, number>> = {}
    for (const variant of shuffled(VARIANTS, random)) {
      await install(variant)
      // All pairs are in the set, and its table has grown, before the clock runs.
      await sender.ask({ packets: Math.max(pairs, 2_000) })
      await sleep(20)
      await sender.ask({ packets: Math.max(pairs, 2_000) })
      const sent = await sender.ask({ packets })
      times[variant] = sent.cpuNs / sent.packets
    }
    measured.push(times as Round)
  }
  return measured
}

const addedBy = (variant: Variant, rounds: readonly Round[]): number => midmean(rounds.map((round) => round[variant] - round.none))

function* figuresOf(pairs: number, rounds: readonly Round[]): Iterable<Figure> {
  const without = Math.round(midmean(rounds.map(({ none }) => none)))
  const named = pairs === 1 ? '1 pair' : `${pairs.toLocaleString('en-US')} pairs`
  yield {
    number: `added per packet, ${named}: one bare set`,
    unit: 'ns',
    measured: bootstrap(rounds, (drawn) => addedBy('bare', drawn)),
    beside: `to ${without} ns of a packet without any`,
  }
  for (const { variant, what, ...bar } of LAYOUTS) {
    yield {
      number: `added per packet, ${named}: ${variant} (${what}) / one bare set`,
      unit: 'x',
      measured: bootstrap(rounds, (drawn) => addedBy(variant, drawn) / addedBy('bare', drawn)),
      ...bar,
      beside: `+${Math.round(addedBy(variant, rounds))} ns`,
    }
  }
}
