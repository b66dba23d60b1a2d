// The agent's own checks against the uplink: bytes on the wire, and the share of what left that was seen at all.
import { sentIpBytes } from '../../src/lab/counters.js'
import { addPfifo, addVxlan, loadRules } from '../../src/lab/features.js'
import { podDevice, UPLINK } from '../../src/lab/plan.js'
import { sumOf } from './agents.js'
import { createLab, type Lab } from './lab.js'
import { worldTest } from './world.js'

const BYTES = 20_000_000
/** IPv4 20, TCP 20, timestamps 12. */
const HEADERS = 52

const STRAIGHT_OUT = `table netdev bypass {
  chain ingress {
    type filter hook ingress device ${podDevice('p1a')} priority 0
    fwd to ${UPLINK}
  }
}
`

async function sendTcp({ topology }: Lab, port: number, bytes = BYTES): Promise<void> {
  const sink = await topology.peer('p2a').listenTcp({ port })
  await topology.peer('p1a').sendTcp({ to: '10.1.2.2', port, bytes })
  await sink.close()
}

async function ratioAtRest({ agents }: Lab): Promise<number> {
  const served = (await agents.atRest()).filter(({ node }) => node === 'n1')
  return sumOf(served, 'meshtoll_flow_coverage_ratio')
}

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('wire bytes: what the uplink sent after segmentation', async (t) => {
      const lab = await createLab(t, { prepare: async (topology) => void (await addPfifo(topology, 'n1')) })
      await sendTcp(lab, 5000)
      const all = (await lab.agents.atRest()).filter(({ node }) => node === 'n1')
      const uplink = { device: UPLINK }
      const [packets, bytes] = [
        sumOf(all, 'meshtoll_node_wire_packets_total', uplink),
        sumOf(all, 'meshtoll_node_wire_bytes_total', uplink),
      ]
      const device = await lab.topology.device('n1')
      t.ok(packets > device.sentPackets, `${device.sentPackets} super-packets became ${packets}`)
      t.equal(bytes - sentIpBytes(device), HEADERS * (packets - device.sentPackets), 'each segment more has headers of its own')
      t.equal(sumOf(all, 'meshtoll_node_network_transmit_bytes_total', uplink), device.sentBytes)
      t.equal(sumOf(all, 'meshtoll_node_wire_bytes_total', { device: podDevice('p1a') }), 0)
      const text = await lab.agents.on('n1').metrics()
      t.match(text, new RegExp(`^meshtoll_node_wire_bytes_total{device="eth0"} ${bytes}$`, 'm'))
      t.notMatch(text, /wire_bytes_total\{device="v-p1a"\}/, 'a device without a discipline that counts is absent, not 0')
    })

    const cases = [
      { name: 'native routing', prepare: async () => undefined },
      { name: 'VXLAN', prepare: addVxlan },
    ]
    for (const { name, prepare } of cases) {
      t.test(`coverage under ${name} is near 1`, async (t) => {
        const lab = await createLab(t, { prepare: (topology) => prepare(topology) })
        await sendTcp(lab, 5000)
        const ratio = await ratioAtRest(lab)
        t.ok(ratio > 0.97 && ratio < 1.03, `${ratio}`)
      })
    }

    t.test('coverage falls when packets pass by netfilter', async (t) => {
      const lab = await createLab(t)
      await sendTcp(lab, 5000)
      const before = await ratioAtRest(lab)
      // From the pod's wire straight to the uplink, as eBPF host routing does it.
      await loadRules(lab.topology, 'n1', STRAIGHT_OUT)
      await sendTcp(lab, 5001, 3 * BYTES)
      const after = await ratioAtRest(lab)
      t.ok(before > 0.97 && after < 0.5, `${before}, then ${after}`)
    })
  },
  { timeoutMs: 90_000 },
)
