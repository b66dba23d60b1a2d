// Real agents on the nodes of a topology: the built program, one a node, with nothing but CAP_NET_ADMIN, read over its own HTTP interface.
//
//   const agents = await startAgents(topology, { options: { flows: { maxPairs: 64 } } })
//   ... traffic ...
//   const all = await agents.atRest()
//   flowBytes(all, { src_owner_name: 'cart' })       over all nodes
//   all.map(({ books }) => books.difference)
//   await agents.on('n1').kill(); await agents.on('n1').start()
//   await agents.stop()
//
// The program is that of `npm run build`; MESHTOLL_DIST names another folder to take it from.
import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addressesOf, type NodeSpec, type PodSpec, type TopologySpec } from '../../src/lab/plan.js'
import type { Exit, Program } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import type { Books, InventoryEntry, Labels, Series } from '../../src/model.js'

export type Entry = Partial<InventoryEntry> & Pick<InventoryEntry, 'cidr'>

export interface AgentsOptions {
  /** Of meshtoll.yaml, for all; node and inventory are filled in. */
  readonly options?: Readonly<Record<string, object>>
  /** What meshtoll.yaml says of a node; default: name and zone. */
  readonly describe?: (node: NodeSpec) => Readonly<Record<string, string>>
  /** Further variables of the environment of a node's agent. */
  readonly environment?: (node: NodeSpec) => Readonly<Record<string, string>>
  /** Default: all. The others have no agent, and the inventory says so. */
  readonly nodes?: readonly string[]
  readonly inventory?: readonly Entry[]
  readonly capabilities?: readonly string[]
  /** The command line by which a node's agent is started in surroundings of its own; it then drops capabilities itself. */
  readonly enclose?: (node: NodeSpec, argv: readonly string[]) => readonly string[] | undefined
  /** Before the agent starts, such as to mount something on its state directory. */
  readonly prepareState?: (stateDir: string) => Promise<void>
}

/** What one agent answers at /api/v1/snapshot. */
export interface Served {
  readonly node: string
  readonly books: Books & { readonly difference: number }
  readonly sources: readonly {
    readonly name: string
    readonly up: boolean
    readonly error: string
    readonly note: string
    readonly rows?: readonly Readonly<Record<string, unknown>>[]
  }[]
  readonly series: Readonly<Record<string, readonly Series[]>>
}

export interface NodeAgent {
  readonly node: string
  readonly stateDir: string
  readonly configFile: string
  /** By which the world reaches its HTTP interface. */
  readonly socketPath: string
  /** Its whole command line, for those that are to run beside it or in its place. */
  readonly argv: readonly string[]
  readonly program: Program
  /** After stop or kill; what the one before had logged is gone. */
  start(): Promise<void>
  /** Like start, but does not wait until it runs. */
  launch(): Program
  stop(): Promise<Exit>
  kill(): Promise<Exit>
  restart(): Promise<void>
  snapshot(): Promise<Served>
  /** The text of /metrics. */
  metrics(): Promise<string>
  /** Of any other path; rejects with what was answered when that is not 200. */
  get(path: string): Promise<string>
  log(): string
}

export interface Agents {
  readonly all: readonly NodeAgent[]
  on(node: string): NodeAgent
  /** What all serve once nothing is under way any more: reads of the kernel that say the same twice. */
  atRest(): Promise<readonly Served[]>
  /** The text of inventory.yaml, or its entries. */
  writeInventory(inventory: string | readonly Entry[]): Promise<void>
  stop(): Promise<void>
}

const MAIN = join(process.env['MESHTOLL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url)), 'main.js')
const PORT = 10042
/** An answer is read anew when the last one is older than a second. */
const FRESH_MS = 1_100
const REST_WITHIN_MS = 30_000

export async function startAgents(topology: Topology, given: AgentsOptions = {}): Promise<Agents> {
  const { nodes = topology.spec.nodes.map(({ name }) => name), inventory = inventoryOf(topology.spec, nodes) } = given
  const folder = await mkdtemp('/run/lab/agents-')
  const file = join(folder, 'inventory.yaml')
  const writeInventory = (text: string | readonly Entry[]): Promise<void> =>
    replace(file, typeof text === 'string' ? text : JSON.stringify({ entries: text }))
  await writeInventory(inventory)
  const chosen = topology.spec.nodes.filter(({ name }) => nodes.includes(name))
  const all = await Promise.all(chosen.map((node) => startAgent(topology, node, { ...given, folder, inventoryFile: file })))

  return {
    all,
    writeInventory,
    on(node) {
      const agent = all.find((one) => one.node === node)
      if (!agent) throw new Error(`no agent runs on ${node}`)
      return agent
    },
    atRest: () => untilAtRest(all),
    async stop() {
      await Promise.all(all.map((agent) => agent.stop()))
    },
  }
}

/** How a program ends that is expected to; one that goes on is killed. */
export function endOf(program: Program, ms = 15_000): Promise<Exit> {
  const timer = setTimeout(() => program.signal('SIGKILL'), ms)
  return program.exited.finally(() => clearTimeout(timer))
}

/** Pods, nodes and hosts by their own names; hosts and nodes without an agent are covered by nobody. */
export function inventoryOf({ nodes, hosts }: TopologySpec, covered: readonly string[] = nodes.map(({ name }) => name)): readonly Entry[] {
  const entriesOf = (end: PodSpec, rest: Omit<Entry, 'cidr' | 'ownerName'>): Entry[] =>
    addressesOf(end).map((cidr) => ({ cidr, ownerName: end.name, ...rest }))
  const onNode = ({ name, zone }: NodeSpec) => ({ zone, ...(covered.includes(name) ? { node: name } : {}) })
  return [
    ...nodes.flatMap((node) => entriesOf(node, { ownerKind: 'Node', ...onNode(node) })),
    ...nodes.flatMap((node) => node.pods.flatMap((pod) => entriesOf(pod, { namespace: 'lab', ownerKind: 'Pod', ...onNode(node) }))),
    ...hosts.flatMap((host) => entriesOf(host, { ownerKind: 'Host' })),
  ]
}

interface Place extends AgentsOptions {
  readonly folder: string
  readonly inventoryFile: string
}

async function startAgent(topology: Topology, node: NodeSpec, place: Place): Promise<NodeAgent> {
  const { name } = node
  const { folder, options = {}, capabilities = ['net_admin'], describe = ({ zone }) => ({ name, zone }) } = place
  const env = { ...process.env, ...place.environment?.(node) }
  const stateDir = join(folder, name)
  const configFile = join(folder, `${name}.yaml`)
  await mkdir(stateDir)
  await place.prepareState?.(stateDir)
  await writeFile(configFile, JSON.stringify({ ...options, node: describe(node), inventory: { file: place.inventoryFile } }))
  const socketPath = await topology.peer(name).relay({ port: PORT })
  const flags = [`--config.file=${configFile}`, `--state.dir=${stateDir}`, `--web.listen-address=127.0.0.1:${PORT}`]
  const argv = [process.execPath, MAIN, 'agent', ...flags]
  const enclosed = place.enclose?.(node, argv)
  const launch = (): Program => (enclosed ? topology.start(name, enclosed, { env }) : topology.start(name, argv, { capabilities, env }))
  const start = async (): Promise<Program> => {
    const program = launch()
    await program.waitFor(/agent is running/, 20_000)
    return program
  }
  let program = await start()

  return {
    node: name,
    stateDir,
    configFile,
    socketPath,
    argv,
    get program() {
      return program
    },
    async start() {
      program = await start()
    },
    launch() {
      program = launch()
      return program
    },
    stop: () => program.stop('SIGTERM', 5_000),
    kill: () => program.stop('SIGKILL'),
    async restart() {
      await program.stop('SIGTERM', 5_000)
      program = await start()
    },
    snapshot: async () => JSON.parse(await get(socketPath, '/api/v1/snapshot')) as Served,
    metrics: () => get(socketPath, '/metrics'),
    get: (path) => get(socketPath, path),
    log: () => program.stderr(),
  }
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${path}: ${response.statusCode} ${text}`))
      })
    })
    asked.once('error', reject).end()
  })
}

async function untilAtRest(agents: readonly NodeAgent[]): Promise<readonly Served[]> {
  const deadline = performance.now() + REST_WITHIN_MS
  let before = ''
  for (;;) {
    const all = await Promise.all(agents.map((agent) => agent.snapshot()))
    const counted = JSON.stringify(all.map(({ books, series }) => [books, series[FLOW], series[ZONE]]))
    if (counted === before) return all
    if (performance.now() > deadline) throw new Error(`not at rest within ${REST_WITHIN_MS} ms: ${counted}`)
    before = counted
    await sleep(FRESH_MS)
  }
}

const FLOW = 'meshtoll_flow_bytes_total'
const ZONE = 'meshtoll_zone_bytes_total'

/** Of all series with these labels, over all that is given. */
export function sumOf(all: readonly Served[], family: string, labels: Labels = {}): number {
  const wanted = Object.entries(labels)
  return all
    .flatMap(({ series }) => series[family] ?? [])
    .filter((one) => wanted.every(([name, value]) => one.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

export const flowBytes = (all: readonly Served[], labels: Labels = {}): number => sumOf(all, FLOW, labels)
export const zoneBytes = (all: readonly Served[], labels: Labels = {}): number => sumOf(all, ZONE, labels)
/** From one owner to another. */
export const between = (all: readonly Served[], from: string, to: string): number =>
  flowBytes(all, { src_owner_name: from, dst_owner_name: to })

/** One line of the books, over all that is given. */
export const booked = (all: readonly Served[], line: keyof Served['books']): number => all.reduce((sum, { books }) => sum + books[line], 0)

/** All flow series that have bytes, as `from > to`. */
export function bytesByPair(all: readonly Served[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { labels, value } of all.flatMap(({ series }) => series[FLOW] ?? [])) {
    const pair = `${labels['src_owner_name']} > ${labels['dst_owner_name']}`
    if (value > 0) sums[pair] = (sums[pair] ?? 0) + value
  }
  return sums
}
