// Builds what a declaration says: three zones on one machine, with real routes and real packets. Call it inside a world (world.ts).
//
//   const topology = await createTopology({
//     nodes: [{ name: 'n1', zone: 'z1', address: '10.0.1.10', pods: [{ name: 'cart', address: '10.1.1.2' }] }, ...],
//     hosts: [{ name: 'database', address: '10.0.9.5' }],
//   })
//   const cart = topology.peer('cart')
//   await topology.peer('database').listenTcp({ port: 5432 })
//   await cart.sendTcp({ to: '10.0.9.5', port: 5432, bytes: 1e9 })
//   sentIpBytes(await topology.device('cart'))          what left the pod, to the byte
//   topology.start('n1', ['node', 'dist/main.js', 'agent'], { capabilities: ['net_admin'] })
//   await topology.close()
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type DeviceCounters, readDevice } from './counters.js'
import { type Peer, startPeer } from './peer-client.js'
import { type Plan, planOf, type TopologySpec, UPLINK, withoutIpv6 } from './plan.js'
import { type Program, type ProgramOptions, runIn, startIn } from './program.js'

export interface Topology {
  readonly spec: TopologySpec
  /** Pods, nodes, hosts and `cloud`: each name is a network namespace. */
  readonly names: readonly string[]
  /** The traffic maker in a namespace, started when first asked for. */
  peer(name: string): Peer
  start(name: string, argv: readonly string[], options?: ProgramOptions): Program
  run(name: string, argv: readonly string[], options?: ProgramOptions): Promise<string>
  device(name: string, device?: string): Promise<DeviceCounters>
  /** Ends the peers and removes the namespaces; programs started here are their owner's to stop. The end of the world does it as well. */
  close(): Promise<void>
}

export const hasIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6')

export async function createTopology(declared: TopologySpec): Promise<Topology> {
  const spec = hasIpv6() ? declared : withoutIpv6(declared)
  const plan = planOf(spec)
  const names = plan.namespaces.map(({ name }) => name)
  const peers = new Map<string, Peer>()
  await batch(plan.wires)
  await Promise.all(plan.namespaces.map(configure))

  return {
    spec,
    names,
    peer(name) {
      const peer = peers.get(name) ?? startPeer(name)
      peers.set(name, peer)
      return peer
    },
    start: startIn,
    run: runIn,
    device: (name, device = UPLINK) => readDevice(name, device),
    async close() {
      await Promise.all([...peers.values()].map((peer) => peer.stop()))
      await batch(names.map((name) => `netns del ${name}`))
    },
  }
}

// A new namespace inherits some settings of the machine's own one (net.core.devconf_inherit_init_net), so every one that matters is set.
// The wide port range is for many thousand short connections within the minute that TIME_WAIT lasts.
const SETTINGS = `set_all() { for file in /proc/sys/net/$1; do [ ! -e "$file" ] || echo "$2" >"$file"; done; }
set_all 'ipv4/conf/*/rp_filter' 0
set_all 'ipv4/conf/*/send_redirects' 0
set_all ipv4/ip_local_port_range '10240 65535'
set_all 'ipv6/conf/*/disable_ipv6' 0
set_all 'ipv6/conf/*/accept_ra' 0`
const FORWARDING = `set_all ipv4/ip_forward 1
set_all ipv6/conf/all/forwarding 1
set_all ipv6/conf/default/forwarding 0`

async function configure({ name, forwards, batch }: Plan['namespaces'][number]): Promise<void> {
  const ip = `ip -batch - <<'END'\n${batch.join('\n')}\nEND`
  // Forwarding comes last, and not as the default of devices to come: one that does multicast would join the group of all routers
  // and report it (MLD). What forwards is decided by `all`.
  await runIn(name, ['sh', '-s'], { input: ['set -e', SETTINGS, ip, ...(forwards ? [FORWARDING] : [])].join('\n') })
}

async function batch(lines: readonly string[]): Promise<void> {
  const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.end(`${lines.join('\n')}\n`)
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code === 0) return
  const line = lines[Number(/-:(\d+)/.exec(stderr)?.[1]) - 1]
  throw new Error(`ip ${line ?? ''}: ${stderr.trim()}`)
}
