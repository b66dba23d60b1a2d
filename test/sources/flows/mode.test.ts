import t from 'tap'
import type { Link } from '../../../src/kernel/rtnetlink.js'
import { hasNatTable, isTunnel, isWider, modeFor, packetBytesOf } from '../../../src/sources/flows/mode.js'

const link = (parts: Partial<Link>): Link => ({
  index: 5,
  name: 'device',
  type: 1,
  kind: '',
  master: 0,
  up: true,
  xdp: false,
  txBytes: 1000,
  txPackets: 10,
  rxBytes: 0,
  ...parts,
})

t.test('what carries packets inside of packets', async (t) => {
  const cases = [
    { name: 'hardware', link: link({}), tunnel: false },
    { name: 'veth', link: link({ kind: 'veth' }), tunnel: false },
    { name: 'vxlan that is down', link: link({ kind: 'vxlan', up: false }), tunnel: true },
    { name: 'wireguard', link: link({ kind: 'wireguard', type: 65534 }), tunnel: true },
    { name: 'a tun device', link: link({ kind: 'tun', type: 65534 }), tunnel: true },
    { name: 'a tap device of a virtual machine', link: link({ kind: 'tun', type: 1 }), tunnel: false },
    { name: 'tunl0, with which a namespace is born', link: link({ kind: 'ipip', name: 'tunl0', up: false }), tunnel: false },
    { name: 'tunl0 in use', link: link({ kind: 'ipip', name: 'tunl0' }), tunnel: true },
  ]
  for (const { name, link, tunnel } of cases) t.equal(isTunnel(link), tunnel, name)
})

t.test('packets without their frames', async (t) => {
  t.equal(packetBytesOf(link({})), 860, 'Ethernet')
  t.equal(packetBytesOf(link({ type: 65534 })), 1000, 'a device without frames')
})

t.test('how much to look for', async (t) => {
  const none = { kubernetes: false, nat: false, tunnels: [] }
  t.equal(modeFor(none), 'plain')
  t.equal(modeFor({ ...none, tunnels: [link({ kind: 'vxlan' })] }), 'tunnel', 'connection tracking stays off')
  t.equal(modeFor({ ...none, nat: true }), 'full')
  t.equal(modeFor({ ...none, kubernetes: true }), 'full', 'overlays and translation may come after us')
  t.ok(isWider('full', 'tunnel'))
  t.notOk(isWider('plain', 'tunnel'))
  t.notOk(isWider('full', 'full'))
})

t.test('tables of iptables-legacy', async (t) => {
  t.ok(hasNatTable('mangle\nnat\nfilter\n'))
  t.notOk(hasNatTable('filter\n'))
  t.notOk(hasNatTable(''))
})
