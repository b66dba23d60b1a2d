// Whether the kernel can count for us.
import type { CgroupLevel } from '../../kernel/cgroups.js'
import type { Ours } from '../../sources/flows/inspect.js'
import { LAYOUT } from '../../sources/flows/layout.js'
import type { Facts, NodeFacts, Refusal } from './facts.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** include/uapi/linux/capability.h */
const CAP_NET_ADMIN = 12n
const FLOWS_OFF = 'flows are off (flows.enabled: false)'

export const isRefusal = <T extends object>(value: T | Refusal): value is Refusal => 'message' in value && 'code' in value

export function kernel({ node: { release, nftables }, config }: Facts): Finding[] {
  const name = release.split('-', 1)[0] || 'unknown version'
  if (!config.flows.enabled) return [ok(`${name}; ${FLOWS_OFF}`)]
  // Table comments, which carry what a later agent must know of a table, came with 5.10.
  if (isBefore(release, 5, 10)) return [fail(`${name}: flows need 5.10 or newer`, 'use a newer kernel, or set flows.enabled: false')]
  if (isRefusal(nftables)) {
    if (nftables.code === 'EPERM') return [ok(`${name}; nf_tables cannot be asked without CAP_NET_ADMIN`)]
    return [fail(`${name}: nf_tables is not to be had: ${nftables.message}`, 'load the module nf_tables, or set flows.enabled: false')]
  }
  if (config.flows.ownership === 'off') {
    return [ok(`${name}, nf_tables; the table is not owned (flows.ownership: off), so whoever flushes the ruleset destroys the counters`)]
  }
  if (!isBefore(release, 6, 9)) return [ok(`${name}, nf_tables with table owner and persist`)]
  return [
    warn(
      `${name}, nf_tables without table owner and persist: whoever flushes the ruleset destroys the counters`,
      'use kernel 6.9 or newer, or keep others from `nft flush ruleset`',
    ),
  ]
}

/** False where the version cannot be read. */
export function isBefore(release: string, major: number, minor: number): boolean {
  const [, isMajor, isMinor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  if (isMajor === undefined) return false
  return Number(isMajor) < major || (Number(isMajor) === major && Number(isMinor) < minor)
}

export function capabilities({ node: { capabilities: mask, nftables }, config }: Facts): Finding[] {
  if (!config.flows.enabled) return [ok(`none needed; ${FLOWS_OFF}`)]
  if (mask === undefined) return [warn('cannot be read from /proc/self/status')]
  if ((mask & (1n << CAP_NET_ADMIN)) === 0n) {
    return [
      fail(
        'CAP_NET_ADMIN is missing: flows cannot be counted; the rest works without it',
        'run as root, or give the process CAP_NET_ADMIN and nothing else',
      ),
    ]
  }
  if (!isRefusal(nftables) || nftables.code !== 'EPERM') return [ok('CAP_NET_ADMIN')]
  return [
    fail(
      'CAP_NET_ADMIN does not hold for this network namespace: it is that of another user namespace',
      'give CAP_NET_ADMIN in the user namespace that owns the network (a pod with hostNetwork must not have hostUsers: false)',
    ),
  ]
}

export function hostNetwork({ cluster, node: { cgroupLevel, release }, config }: Facts): Finding[] {
  if (!config.flows.enabled) return [ok(FLOWS_OFF)]
  if (!cluster) return [ok('pods on it are told apart on Kubernetes only')]
  if (cgroupLevel !== undefined) return [cgroupsIn(cgroupLevel, release)]
  return [
    warn(
      "the cgroups (version 2) of pods are not to be seen: bytes of pods on it are the node's",
      "mount the host's /sys/fs/cgroup read-only, anywhere",
    ),
  ]
}

/** Before 6.11 rules count levels from the host's root, wherever they are written (nft_socket_cgroup_subtree_level). */
function cgroupsIn({ relative, absolute }: CgroupLevel, release: string): Finding {
  if (relative === absolute || !isBefore(release, 6, 11)) return ok('pods on it are told apart by their cgroups')
  return warn(
    "from within a container Linux tells pods on it apart since 6.11, or with its fix in older lines: without it their bytes are the node's",
    'if meshtoll_flow_bytes_total has none of their owners, use a newer kernel, or run the agent on the host',
  )
}

export function table({ node, config }: Facts): Finding[] {
  const { nftables } = node
  if (!config.flows.enabled || isRefusal(nftables)) return []
  const name = `inet ${config.flows.table}`
  const found = nftables.table
  if (found.state === 'absent') return [ok(`${name} is not there yet; the agent makes it`)]
  if (found.state === 'foreign') {
    return [
      fail(
        `${name} was not written by meshtoll, which never touches it`,
        'rename or remove that table, or set flows.table to another name',
      ),
    ]
  }
  const since = `${new Date(found.mark.createdMs).toISOString().slice(0, 19)}Z`
  const text = `${name}, ours since ${since}, ${holderOf(node, found.info.ownerPort)}`
  if (found.state !== 'broken') return [ok(`${text}${STATES[found.state](found.mark)}`)]
  return [
    warn(
      `${text}; its rules are not as an agent left them, so bytes may be missed`,
      'find out who changes them; a running agent repairs them within flows.interval, a starting one at once',
    ),
  ]
}

const STATES: Readonly<Record<Exclude<Ours['state'], 'broken'>, (mark: Ours['mark']) => string>> = {
  intact: () => '',
  outdated: () => '; an agent with these options writes its rules anew',
  'other layout': ({ layout }) => `; it has layout ${layout}, which this version migrates to ${LAYOUT}`,
}

function holderOf({ isLocked }: Pick<NodeFacts, 'isLocked'>, ownerPort: number): string {
  if (isLocked || ownerPort !== 0) return 'an agent counts in it; a second one would refuse to start'
  return 'kept while no agent runs'
}
