// Ways past the hooks of netfilter: what goes there is not counted, and shows in meshtoll_flow_coverage_ratio.
import type { CheckedLink, Facts, NodeFacts } from './facts.js'
import { type Finding, ok, warn } from './finding.js'
import { isRefusal } from './kernel.js'

interface Seen {
  readonly links: readonly CheckedLink[]
  readonly flowtables: readonly string[]
  readonly bridgeNetfilter: NodeFacts['bridgeNetfilter']
}

/** Undefined where it is not here. */
type Bypass = (seen: Seen) => Finding | undefined

const BYPASSES: readonly Bypass[] = [cilium, calico, netkit, xdp, flowtable, bridge]

export function bypasses({ node: { links, nftables, bridgeNetfilter }, config }: Facts): Finding[] {
  if (!config.flows.enabled) return []
  if (isRefusal(links)) return [warn(`devices cannot be listed: ${links.message}`)]
  const seen = { links, flowtables: isRefusal(nftables) ? [] : nftables.flowtables, bridgeNetfilter }
  const found = BYPASSES.flatMap((bypass) => bypass(seen) ?? [])
  return found.length > 0 ? found : [ok('no eBPF datapath, XDP, flowtable or unfiltered bridge found')]
}

const namesOf = (links: readonly CheckedLink[]): string => {
  const shown = links.slice(0, 3).map(({ name }) => name)
  return `${shown.join(', ')}${links.length > shown.length ? ` and ${links.length - shown.length} more` : ''}`
}

function cilium({ links }: Seen): Finding | undefined {
  if (!links.some(({ name }) => name === 'cilium_host' || name === 'cilium_net')) return undefined
  return warn(
    'Cilium is here: where it routes in eBPF, bytes between pods bypass netfilter',
    "use Cilium's legacy host routing (bpf.hostLegacyRouting=true), or read coverage as a lower bound",
  )
}

function calico({ links }: Seen): Finding | undefined {
  if (!links.some(({ name }) => name === 'bpfin.cali' || name === 'bpfout.cali')) return undefined
  return warn(
    "Calico's eBPF dataplane is here: bytes that it routes bypass netfilter",
    "use Calico's iptables or nftables dataplane, or read coverage as a lower bound",
  )
}

function netkit({ links }: Seen): Finding | undefined {
  const found = links.filter(({ kind }) => kind === 'netkit')
  if (found.length === 0) return undefined
  return warn(`netkit devices (${namesOf(found)}): bytes that their eBPF programs route bypass netfilter`, 'read coverage as a lower bound')
}

function xdp({ links }: Seen): Finding | undefined {
  const found = links.filter((link) => link.xdp)
  if (found.length === 0) return undefined
  return warn(`XDP programs on ${namesOf(found)}: packets that they answer, forward or drop are not seen`, 'read coverage as a lower bound')
}

// A flowtable forwards from its ingress hook; postrouting sees only the first packets (Documentation/networking/nf_flowtable.rst).
function flowtable({ flowtables }: Seen): Finding | undefined {
  if (flowtables.length === 0) return undefined
  return warn(
    `flowtables (${flowtables.join(', ')}): established connections that they forward bypass netfilter`,
    'take the flows that shall be counted out of the flowtable, or read coverage as a lower bound',
  )
}

// Between two ports of one bridge nothing is routed; netfilter sees it only by br_netfilter (net/bridge/br_netfilter_hooks.c).
function bridge({ links, bridgeNetfilter }: Seen): Finding | undefined {
  const bridges = links.filter(({ kind, index }) => kind === 'bridge' && links.filter(({ master }) => master === index).length > 1)
  const missing = missingFamilies(bridgeNetfilter)
  if (bridges.length === 0 || missing === '') return undefined
  return warn(
    `${namesOf(bridges)} without br_netfilter for ${missing}: bytes between ports of one bridge are not seen`,
    'load br_netfilter and set net.bridge.bridge-nf-call-iptables=1 and net.bridge.bridge-nf-call-ip6tables=1',
  )
}

function missingFamilies(on: Seen['bridgeNetfilter']): string {
  if (!on) return 'IPv4 and IPv6'
  return [on.ipv4 ? '' : 'IPv4', on.ipv6 ? '' : 'IPv6'].filter(Boolean).join(' and ')
}
