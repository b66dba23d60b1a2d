import t from 'tap'
import { bypasses } from '../../../src/cli/check/bypasses.js'
import type { CheckedLink, NodeFacts } from '../../../src/cli/check/facts.js'
import { factsWith } from './healthy.js'

const link = (name: string, more: Partial<CheckedLink> = {}): CheckedLink => ({ index: 1, name, kind: '', master: 0, xdp: false, ...more })
const bridged = [link('br0', { index: 7, kind: 'bridge' }), link('a', { index: 8, master: 7 }), link('b', { index: 9, master: 7 })]
const LOWER_BOUND = 'read coverage as a lower bound'

t.test('ways past netfilter', async (t) => {
  const fine = ['ok no eBPF datapath, XDP, flowtable or unfiltered bridge found']
  const bridgeRemedy = '  load br_netfilter and set net.bridge.bridge-nf-call-iptables=1 and net.bridge.bridge-nf-call-ip6tables=1'
  const cases: readonly { name: string; node: Partial<NodeFacts>; lines: readonly string[] }[] = [
    { name: 'a plain machine', node: { links: [link('eth0'), link('lo')] }, lines: fine },
    {
      name: 'Cilium',
      node: { links: [link('cilium_host'), link('cilium_net')] },
      lines: [
        'warn Cilium is here: where it routes in eBPF, bytes between pods bypass netfilter',
        `  use Cilium's legacy host routing (bpf.hostLegacyRouting=true), or ${LOWER_BOUND}`,
      ],
    },
    {
      name: "Calico's eBPF",
      node: { links: [link('bpfin.cali')] },
      lines: [
        "warn Calico's eBPF dataplane is here: bytes that it routes bypass netfilter",
        `  use Calico's iptables or nftables dataplane, or ${LOWER_BOUND}`,
      ],
    },
    { name: "Calico's iptables", node: { links: [link('cali123', { kind: 'veth' })] }, lines: fine },
    {
      name: 'netkit',
      node: { links: ['a', 'b', 'c', 'd', 'e'].map((name) => link(name, { kind: 'netkit' })) },
      lines: ['warn netkit devices (a, b, c and 2 more): bytes that their eBPF programs route bypass netfilter', `  ${LOWER_BOUND}`],
    },
    {
      name: 'XDP',
      node: { links: [link('eth0', { xdp: true }), link('eth1')] },
      lines: ['warn XDP programs on eth0: packets that they answer, forward or drop are not seen', `  ${LOWER_BOUND}`],
    },
    {
      name: 'a flowtable',
      node: { nftables: { table: { state: 'absent' }, flowtables: ['inet/filter/ft'] } },
      lines: [
        'warn flowtables (inet/filter/ft): established connections that they forward bypass netfilter',
        `  take the flows that shall be counted out of the flowtable, or ${LOWER_BOUND}`,
      ],
    },
    {
      name: 'a bridge without br_netfilter',
      node: { links: bridged },
      lines: ['warn br0 without br_netfilter for IPv4 and IPv6: bytes between ports of one bridge are not seen', bridgeRemedy],
    },
    {
      name: 'a bridge with br_netfilter for one family',
      node: { links: bridged, bridgeNetfilter: { ipv4: true, ipv6: false } },
      lines: ['warn br0 without br_netfilter for IPv6: bytes between ports of one bridge are not seen', bridgeRemedy],
    },
    { name: 'a bridge with br_netfilter', node: { links: bridged, bridgeNetfilter: { ipv4: true, ipv6: true } }, lines: fine },
    { name: 'a bridge with one port', node: { links: bridged.slice(0, 2) }, lines: fine },
    { name: 'a bond is no bridge', node: { links: bridged.map((part) => ({ ...part, kind: 'bond' })) }, lines: fine },
    { name: 'no table to be read', node: { nftables: { code: 'EPERM', message: '' } }, lines: fine },
    {
      name: 'no device to be read',
      node: { links: { code: '', message: 'no koffi' } },
      lines: ['warn devices cannot be listed: no koffi'],
    },
  ]
  for (const { name, node, lines } of cases) {
    const found = bypasses(factsWith({ node })).flatMap(({ level, says, remedy }) => [
      `${level} ${says}`,
      ...remedy.map((line) => `  ${line}`),
    ])
    t.same(found, lines, name)
  }
})

t.test('several at once are a finding each', async (t) => {
  t.equal(bypasses(factsWith({ node: { links: [...bridged, link('cilium_host'), link('eth0', { xdp: true })] } })).length, 3)
})

t.test('nothing is missed where nothing is counted', async (t) => {
  t.same(bypasses(factsWith({ config: { flows: { enabled: false } }, node: { links: [link('cilium_host')] } })), [])
})
