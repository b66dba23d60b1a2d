import t from 'tap'
import type { Link } from '../../../src/kernel/rtnetlink.js'
import { egressOf } from '../../../src/sources/flows/egress.js'

const device = { master: 0, up: true, xdp: false, rxBytes: 0 }
const links: readonly Link[] = [
  { ...device, index: 2, name: 'eth0', type: 1, kind: '', txBytes: 10_140, txPackets: 10 },
  { ...device, index: 3, name: 'eth1', type: 1, kind: '', txBytes: 7_000, txPackets: 5 },
  { ...device, index: 4, name: 'vxlan.calico', type: 1, kind: 'vxlan', txBytes: 1_000, txPackets: 1 },
  { ...device, index: 5, name: 'wg0', type: 65534, kind: 'wireguard', txBytes: 500, txPackets: 4 },
]

t.test('what left by uplinks and into tunnels, frames taken off', async (t) => {
  t.same(egressOf({ links, uplinks: [2], outerSent: 1_594 }), { uplinks: 10_000, intoTunnels: 1_500, outerSent: 1_594 })
  t.same(egressOf({ links, uplinks: [], outerSent: 0 }), { uplinks: 0, intoTunnels: 1_500, outerSent: 0 }, 'without a default route')
})
