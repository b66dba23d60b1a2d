// What there is on this node, gathered without changing anything; judged elsewhere. What could not be found out says why.
import { usesCluster } from '../../agent/cluster.js'
import { defaultConfig } from '../../config/config.js'
import type { Config } from '../../config/fields.js'
import { type Loaded, loadConfig, rightConfig } from '../../config/load.js'
import type { Mistakes } from '../../config/mistakes.js'
import type { Deps } from '../../deps.js'
import { type CgroupLevel, openPodCgroups } from '../../kernel/cgroups.js'
import { createNftables } from '../../kernel/nftables.js'
import { createRtnetlink, type Link } from '../../kernel/rtnetlink.js'
import { inspectTable, readTableFacts, type Finding as TableFinding } from '../../sources/flows/inspect.js'
import { pairLimit } from '../../sources/flows/sizing.js'
import type { CommandDeps, CommandOptions } from '../commands.js'
import { loadWebFiles } from '../web.js'
import type { Asked } from './asking.js'
import { type ClusterFacts, type ClusterRefused, probeCluster } from './cluster.js'
import { type DatadogFacts, probeDatadog } from './datadog.js'
import { type EnvoyFacts, probeEnvoy } from './envoy.js'
import { probeEnvoyAdmin } from './envoy-admin.js'
import { type IstiodFacts, probeIstiod } from './istiod.js'
import { type KubeletFacts, probeKubelet } from './kubelet.js'
import { type PortFacts, probePort } from './port.js'
import { probeState, type StateFacts } from './state.js'
import { probeZtunnel, type ZtunnelFacts } from './ztunnel.js'

export interface Facts {
  readonly loaded: Loaded
  /** Of the file of --web.config.file. */
  readonly webMistakes: readonly Mistakes[]
  readonly configFile: string | null
  /** As loaded, or all defaults where it is wrong. */
  readonly config: Config
  readonly node: NodeFacts
  /** Undefined where the agent would ask no API server. */
  readonly cluster: ClusterFacts | ClusterRefused | undefined
  /** Undefined where the agent would not ask it. */
  readonly kubelet: KubeletFacts | undefined
  /** Undefined where the agent would ask none. */
  readonly envoy: EnvoyFacts | { readonly message: string } | undefined
  /** At their admin ports. */
  readonly envoyAdmin: Asked | { readonly message: string } | undefined
  /** Undefined where the agent would ask none. */
  readonly istiod: IstiodFacts | { readonly message: string } | undefined
  /** Undefined where the agent would ask none. */
  readonly ztunnel: ZtunnelFacts | { readonly message: string } | undefined
  /** Undefined where an agent would push to none, or none answers. */
  readonly datadog: DatadogFacts | undefined
  readonly state: StateFacts
  readonly port: PortFacts
  /** TLS is asked for: an agent that listens cannot be told from another program. */
  readonly hasWebFile: boolean
  readonly clock: ClockFacts
}

export interface NodeFacts {
  /** `6.18.44`, or '' where /proc does not say. */
  readonly release: string
  /** CapEff of /proc/self/status. */
  readonly capabilities: bigint | undefined
  readonly nftables: NftablesFacts | Refusal
  readonly links: readonly CheckedLink[] | Refusal
  /** net.bridge.bridge-nf-call-iptables and -ip6tables; undefined without br_netfilter. */
  readonly bridgeNetfilter: { readonly ipv4: boolean; readonly ipv6: boolean } | undefined
  /** By which pods on the node's network are told apart; undefined where they cannot be, or there are none. */
  readonly cgroupLevel: CgroupLevel | undefined
  /** A process holds an agent's lock on this table. */
  readonly isLocked: boolean
}

export type CheckedLink = Pick<Link, 'index' | 'name' | 'kind' | 'master' | 'xdp'>

export interface NftablesFacts {
  readonly table: TableFinding
  readonly flowtables: readonly string[]
}

/** What the kernel said, or the loading of our native part. `code` is '' for the latter. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

export interface ClockFacts {
  readonly nowMs: number
  /** How far the wall clock moved against the monotonic one while the other facts were gathered. */
  readonly jumpMs: number
}

export async function gatherFacts(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<Facts> {
  const { flags, environment, hostName } = options
  const { clock, random, readFile, parseInventory } = deps
  const offset = clock.now() - clock.monotonic()
  const loaded = await loadConfig(flags, { environment, hostName, readFile, parseInventory }, signal)
  const web = await loadWebFiles(flags['web.config.file'], readFile)
  const config = rightConfig(loaded)?.config ?? defaultConfig(hostName)
  const node = await gatherNode({ flows: config.flows, host: options.host, usesCluster: usesCluster(config, environment) }, deps)
  const cluster = await probeCluster({ config, environment }, deps, signal)
  const internalIps = (cluster && 'node' in cluster && cluster.node?.internalIps) || []
  const kubelet = await probeKubelet({ config, environment, internalIps }, deps, signal)
  const surroundings = { config, environment, followsPods: cluster !== undefined && 'node' in cluster }
  const envoy = await probeEnvoy(surroundings, deps, signal)
  const envoyAdmin = await probeEnvoyAdmin(surroundings, deps, signal)
  const istiod = await probeIstiod(surroundings, deps, signal)
  const ztunnel = await probeZtunnel(surroundings, deps, signal)
  const state = await probeState(flags['state.dir'], random())
  const port = await probePort(flags['web.listen-address'])
  const datadog = await probeDatadog({ config, port }, deps, signal)
  const nowMs = clock.now()
  return {
    loaded,
    webMistakes: 'mistakes' in web ? [web.mistakes] : [],
    configFile: flags['config.file'],
    config,
    node,
    cluster,
    kubelet,
    envoy,
    envoyAdmin,
    istiod,
    ztunnel,
    datadog,
    state,
    port,
    hasWebFile: flags['web.config.file'] !== null,
    clock: { nowMs, jumpMs: nowMs - clock.monotonic() - offset },
  }
}

interface Counting {
  readonly flows: Config['flows']
  readonly host: CommandOptions['host']
  readonly usesCluster: boolean
}

async function gatherNode(counting: Counting, deps: Deps): Promise<NodeFacts> {
  const { readFile, openNetlink } = deps
  const textOf = (path: string): Promise<string | undefined> => readFile(path).catch(() => undefined)
  const pods = counting.usesCluster ? await openPodCgroups(deps) : undefined
  const [release = '', status = '', sockets = '', ipv4, ipv6] = await Promise.all([
    textOf('/proc/sys/kernel/osrelease'),
    textOf('/proc/self/status'),
    textOf('/proc/net/unix'),
    textOf('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    textOf('/proc/sys/net/bridge/bridge-nf-call-ip6tables'),
  ])
  return {
    release: release.trim(),
    capabilities: parseCapabilities(status),
    cgroupLevel: pods?.level,
    nftables: orRefusal(() => gatherNftables(counting, pods?.level, openNetlink)),
    links: orRefusal(() => gatherLinks(openNetlink)),
    bridgeNetfilter: ipv4 === undefined ? undefined : { ipv4: ipv4.trim() === '1', ipv6: ipv6?.trim() === '1' },
    isLocked: isLockHeld(sockets, counting.flows.table),
  }
}

export function parseCapabilities(status: string): bigint | undefined {
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? []
  return mask === undefined ? undefined : BigInt(`0x${mask}`)
}

/** /proc/net/unix shows an abstract socket's leading zero byte as @ (unix_seq_show in net/unix/af_unix.c). */
export const isLockHeld = (sockets: string, table: string): boolean =>
  sockets.split('\n').some((line) => line.endsWith(` @meshtoll/${table}`))

function gatherNftables({ flows, host }: Counting, cgroupLevel: CgroupLevel | undefined, openNetlink: Deps['openNetlink']): NftablesFacts {
  const nftables = createNftables(openNetlink)
  const wanted = { limit: pairLimit(flows.maxPairs, host), tunnelPorts: flows.tunnelPorts, cgroupLevel }
  try {
    return { table: inspectTable(readTableFacts(nftables, flows.table), wanted), flowtables: nftables.flowtables() }
  } finally {
    nftables.close()
  }
}

function gatherLinks(openNetlink: Deps['openNetlink']): readonly CheckedLink[] {
  const rtnetlink = createRtnetlink(openNetlink)
  try {
    return rtnetlink.links()
  } finally {
    rtnetlink.close()
  }
}

function orRefusal<T>(read: () => T): T | Refusal {
  try {
    return read()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { code: code ?? '', message }
  }
}
