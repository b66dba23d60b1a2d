// An agent in this process, in a namespace that setUpNode made ready: its clock, its kernel and its log are in the test's hands.
import type { Test } from 'tap'
import { createAgent } from '../../src/agent/agent.js'
import type { Agent } from '../../src/agent/parts.js'
import { defaultConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import { parseInventory } from '../../src/config/inventory.js'
import type { Fields, Netlink, OpenNetlink } from '../../src/deps.js'
import { createDisk } from '../../src/disk.js'
import { files } from '../../src/files.js'
import { loadLock } from '../../src/kernel/lock.js'
import { loadNetlink } from '../../src/kernel/netlink.js'
import type { InventoryEntry, Labels, Snapshot } from '../../src/model.js'
import { CLOCK } from '../sources/flows/small-node.js'

const entry = { zone: '', region: '', namespace: 'lab', ownerKind: 'Pod', node: '', external: false }
const INVENTORY: readonly InventoryEntry[] = [
  { ...entry, cidr: '10.0.0.1/32', zone: 'here', ownerName: 'cart', node: 'n1' },
  { ...entry, cidr: '10.9.0.0/17', zone: 'there', ownerName: 'stock' },
  { ...entry, cidr: '10.9.128.0/17', zone: 'there', ownerName: 'web' },
]

/** Both move with the real ones, from where the test puts them. */
export interface Skew {
  wallMs: number
  monotonicMs: number
}

export interface AgentHere {
  readonly agent: Agent
  readonly lines: readonly string[]
  /** Reads anew, whatever was read last. */
  snapshot(): Promise<Snapshot>
  /** As SIGTERM does it. */
  stop(): Promise<void>
  /** What the kernel does for a process that was killed. */
  kill(): void
}

export interface AgentHereOptions {
  readonly stateDir: string
  readonly skew: Skew
  readonly config?: { readonly flows?: Partial<Config['flows']>; readonly series?: Partial<Config['series']> }
  /** Default: one source here, two owners there. */
  readonly inventory?: readonly InventoryEntry[]
  readonly through?: (open: OpenNetlink) => OpenNetlink
}

const STALE_MS = 1_001

export async function createAgentHere(t: Test, options: AgentHereOptions): Promise<AgentHere> {
  const { stateDir, skew, config = {}, inventory = INVENTORY, through = (open) => open } = options
  const lines: string[] = []
  const held: { close(): void }[] = []
  const openNetlink = through(await loadNetlink())
  const takeLock = await loadLock()
  const disk = createDisk(stateDir)
  const defaults = defaultConfig('n1')
  const agent = createAgent(
    {
      config: { ...defaults, flows: { ...defaults.flows, ...config.flows }, series: { ...defaults.series, ...config.series } },
      inventory: { entries: inventory, text: '' },
      environment: {},
      host: { cpus: 2, memoryBytes: 2 ** 32, nodeVersion: process.version },
    },
    {
      clock: { ...CLOCK, now: () => CLOCK.now() + skew.wallMs, monotonic: () => CLOCK.monotonic() + skew.monotonicMs },
      log: { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') },
      openNetlink: (protocol, groups) => holding(openNetlink(protocol, groups)),
      takeLock(name) {
        const lock = takeLock(name)
        if (lock) held.push({ close: () => lock.release() })
        return lock
      },
      ...files,
      parseInventory: async (text, environment) => parseInventory(text, environment),
      random: () => crypto.randomUUID(),
      disk,
      cpuUsage: () => process.cpuUsage(),
    },
  )

  function say(level: string) {
    return (message: string, fields: Fields = {}) => void lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }

  function holding(socket: Netlink): Netlink {
    held.push(socket)
    return socket
  }

  const kill = (): void => {
    for (const one of held.splice(0)) one.close()
    void disk.close()
  }

  const here: AgentHere = {
    agent,
    lines,
    snapshot() {
      skew.monotonicMs += STALE_MS
      return agent.withSnapshot(async (snapshot) => snapshot)
    },
    async stop() {
      await agent.run(AbortSignal.abort(new Error('stopped')))
      kill()
    },
    kill,
  }
  t.teardown(kill)
  return here
}

/** Of a family, what has these labels; undefined when nothing is served of it. */
export function servedOf({ families }: Snapshot, name: string, labels: Labels = {}): number | undefined {
  const series = [...(families.find(({ family }) => family.name === name)?.series ?? [])]
  const found = series.filter((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

export const flowTo = (snapshot: Snapshot, name: string): number | undefined =>
  servedOf(snapshot, 'meshtoll_flow_bytes_total', { src_owner_name: 'cart', dst_owner_name: name })
export const gapOf = (snapshot: Snapshot): number | undefined => servedOf(snapshot, 'meshtoll_flow_gap_seconds_total')
