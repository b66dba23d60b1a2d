// What most tests of exactness begin with: a topology, the truth about what is sent in it, and an agent on each node.
import type { Test } from 'tap'
import type { TopologySpec } from '../../src/lab/plan.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { type Agents, type AgentsOptions, booked, flowBytes, type Served, startAgents } from './agents.js'
import { THREE_ZONES } from './three-zones.js'
import { createTruth, type Truth } from './truth.js'

export interface Lab {
  readonly topology: Topology
  readonly truth: Truth
  readonly agents: Agents
}

export interface LabOptions extends AgentsOptions {
  readonly spec?: TopologySpec
  /** Before the agents start. */
  readonly prepare?: (topology: Topology) => Promise<void>
}

export async function createLab(t: Test, { spec = THREE_ZONES, prepare, ...options }: LabOptions = {}): Promise<Lab> {
  const topology = await createTopology(spec)
  t.teardown(() => topology.close())
  await prepare?.(topology)
  const truth = await createTruth(topology)
  const agents = await startAgents(topology, options)
  t.teardown(() => agents.stop())
  return { topology, truth, agents }
}

/** One node with pods and somebody outside are enough where nothing else is said. */
export const ONE_NODE: TopologySpec = { ...THREE_ZONES, nodes: THREE_ZONES.nodes.slice(0, 1) }

/** What must hold at rest, whatever was sent: all of it is posted, by one agent, and every node's books balance. */
export function balances(t: Test, all: readonly Served[], sent: number): void {
  t.equal(flowBytes(all), sent, 'all agents together: what was sent')
  t.equal(booked(all, 'posted'), sent, 'posted')
  for (const { node, books } of all) t.match(books, { difference: 0, pending: 0, overflow: 0 }, `the books of ${node}`)
}
