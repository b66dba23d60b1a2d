// One agent on every node, as it would run there: the same program, its own configuration and state, CAP_NET_ADMIN and nothing more.
import { mkdir, writeFile } from 'node:fs/promises'
import type { Clock } from '../../deps.js'
import { nodeCommand, type Program } from '../../lab/program.js'
import type { Topology } from '../../lab/topology.js'
import { type AgentSnapshot, get, readSnapshot } from './snapshots.js'
import { renderConfig, renderInventory, type Story, type StoryNode } from './story.js'

export interface Agents {
  /** One of each node, in the order of the story. */
  snapshots(signal: AbortSignal): Promise<readonly AgentSnapshot[]>
  /** Unix sockets that lead to their HTTP servers. */
  readonly sockets: readonly { readonly node: StoryNode; readonly path: string }[]
}

export interface AgentParts {
  readonly story: Story
  readonly topology: Topology
  readonly clock: Clock
  /** Of the program that everything runs in. */
  readonly main: string
  readonly flags: readonly string[]
}

interface Agent {
  readonly node: StoryNode
  readonly program: Program
  readonly path: string
}

const FOLDER = '/run/lab/demo'
const PORT = 10042
const READY_WITHIN_MS = 20_000

export async function startAgents(parts: AgentParts, signal: AbortSignal): Promise<Agents> {
  const { story, topology, clock } = parts
  await mkdir(FOLDER)
  await writeFile(`${FOLDER}/inventory.yaml`, renderInventory(story))
  const agents = await Promise.all(story.nodes.map((node) => startAgent(node, parts)))
  await Promise.all(agents.map((agent) => waitUntilReady(agent, clock, signal)))
  return {
    snapshots: (signal) => Promise.all(agents.map(({ program, path }) => unlessEnded(program, readSnapshot(path, signal)))),
    sockets: agents,
  }

  async function startAgent(node: StoryNode, { main, flags }: AgentParts): Promise<Agent> {
    const config = `${FOLDER}/${node.name}.yaml`
    await writeFile(config, renderConfig(story, node))
    const capabilities = await capabilitiesFor(topology, node.name, main)
    const argv = [
      ...nodeCommand(main),
      'agent',
      `--config.file=${config}`,
      `--state.dir=${FOLDER}/${node.name}`,
      `--web.listen-address=127.0.0.1:${PORT}`,
      ...flags,
    ]
    const program = topology.start(node.name, argv, { capabilities })
    return { node, program, path: await topology.peer(node.name).relay({ port: PORT }) }
  }
}

/** Root without its powers may not read this program where it lies in somebody else's closed folder: there it keeps the right to read. */
function capabilitiesFor({ run }: Topology, node: string, main: string): Promise<string[]> {
  const least = ['net_admin']
  const mayRead = run(node, ['test', '-r', main, '-a', '-x', process.execPath], { capabilities: least })
  return mayRead.then(
    () => least,
    () => [...least, 'dac_read_search'],
  )
}

async function waitUntilReady({ program, path, node }: Agent, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadlineMs = clock.monotonic() + READY_WITHIN_MS
  for (;;) {
    signal.throwIfAborted()
    const answer = await get(path, '/-/ready', signal).catch((error: Error) => error)
    if (!(answer instanceof Error)) return
    if (hasEnded(program)) throw endOf(program)
    if (clock.monotonic() > deadlineMs) throw new Error(`the agent on ${node.name} is not ready: ${answer.message}`)
    await clock.sleep(50, signal)
  }
}

/** That an agent has ended says more than that it does not answer. */
async function unlessEnded<Value>(program: Program, asking: Promise<Value>): Promise<Value> {
  try {
    return await asking
  } catch (error) {
    throw hasEnded(program) ? endOf(program) : error
  }
}

const hasEnded = ({ child }: Program): boolean => child.exitCode !== null || child.signalCode !== null

function endOf({ child, stderr }: Program): Error {
  const how = child.signalCode ?? `exit status ${child.exitCode}`
  return new Error(`an agent ended (${how}): ${stderr().trim().split('\n').at(-1) ?? ''}`)
}
