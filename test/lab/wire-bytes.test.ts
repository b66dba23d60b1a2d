// Bytes on the wire against what the sending socket itself says it sent: TCP_INFO counts segments after segmentation.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { createRtnetlink } from '../../src/kernel/rtnetlink.js'
import { startPeer } from '../../src/lab/peer-client.js'
import type { Source } from '../../src/model.js'
import { createNetDev } from '../../src/sources/net-dev.js'
import { createQdisc } from '../../src/sources/qdisc.js'
import { eventually, worldTest } from './world.js'

const BYTES = 50_000_000
/** IPv4 20, TCP 20, timestamps 12; a SYN also offers segment size, window scale and selective acknowledgement. */
const HEADERS = 52
const MORE_IN_SYN = 8

const LINK = `set -e
ip netns add far
ip link add near numtxqueues 2 numrxqueues 2 address 02:00:00:00:00:01 type veth peer name far address 02:00:00:00:00:02
ip link set far netns far
for device in all near; do [ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$device/disable_ipv6; done
ip addr add 10.0.0.1/24 dev near
ip link set near up
ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev near
nsenter --net=/run/netns/far sh -c '
[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/far/disable_ipv6
ip addr add 10.0.0.2/24 dev far
ip link set far up
ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev far'`

const DISCIPLINES = [
  { name: 'pfifo', set: ['qdisc replace dev near root pfifo limit 10000'] },
  { name: 'pfifo_fast', set: ['qdisc replace dev near root pfifo_fast'] },
  { name: 'mq over two queues', set: ['qdisc replace dev near root handle 1: mq'] },
  {
    name: 'htb, a kind with classes',
    set: ['qdisc replace dev near root handle 2: htb default 1', 'class add dev near parent 2: classid 2:1 htb rate 10gbit'],
  },
]

const ss = (...args: readonly string[]): string => execFileSync('ss', args, { encoding: 'utf8' })
const tc = (line: string): Buffer => execFileSync('tc', line.split(' '), { stdio: 'pipe' })

/** Values of one device by the rest of the family's name. */
async function valuesOf(source: Source, device: string): Promise<Record<string, number>> {
  const { readings } = await source.read(AbortSignal.timeout(5_000))
  const values = readings.filter((reading) => reading.kind === 'value').filter(({ labels }) => labels['device'] === device)
  if (new Set(values.map(({ family }) => family.name)).size < values.length) throw new Error(`${device}: a family twice`)
  return Object.fromEntries(values.map(({ family, value }) => [family.name.replace('meshtoll_node_', ''), value]))
}

/** Leaves the connection open, so that nothing but what the socket has counted is sent. */
async function send(): Promise<{ socket: Socket; bytesSent: number; segments: number }> {
  const socket = connect(5000, '10.0.0.2')
  await once(socket, 'connect')
  socket.write(Buffer.alloc(BYTES))
  const said = await eventually('all acknowledged', () => {
    const text = ss('-tinH', 'state', 'established', 'src', `10.0.0.1:${socket.localPort}`)
    const field = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(text)?.[1])
    const isDone = field('bytes_acked') >= BYTES && !text.includes('unacked:')
    return isDone ? { bytesSent: field('bytes_sent'), segments: field('segs_out') } : undefined
  })
  return { socket, ...said }
}

/** Its last words are no bytes of the next one. */
async function end(socket: Socket): Promise<void> {
  socket.destroy()
  await eventually('no connection', () => (ss('-tnHa', 'exclude', 'time-wait', 'src', '10.0.0.1') === '' ? true : undefined))
}

const difference = (after: Record<string, number>, before: Record<string, number>, name: string): number =>
  (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)

await worldTest(import.meta.url, async (t) => {
  execFileSync('sh', ['-c', LINK])
  const peer = startPeer('far')
  const sink = await peer.listenTcp({ port: 5000 })
  const rtnetlink = createRtnetlink(await loadNetlink())
  const qdisc = createQdisc({ rtnetlink })
  const netDev = createNetDev({ readFile: (path, signal) => readFile(path, { encoding: 'utf8', ...(signal ? { signal } : {}) }) })
  t.teardown(async () => {
    rtnetlink.close()
    await sink.close()
    await peer.stop()
  })

  t.test('a device without a counting discipline has no wire bytes', async (t) => {
    tc('qdisc replace dev near root noqueue')
    t.same(await valuesOf(qdisc, 'near'), {})
    t.same(await valuesOf(qdisc, 'lo'), {})
    t.ok(Object.hasOwn(await valuesOf(netDev, 'near'), 'network_transmit_bytes_total'), 'while its own counters are there')
  })

  for (const { name, set } of DISCIPLINES) {
    t.test(`${name}: every byte and every segment of a TCP stream`, async (t) => {
      set.forEach(tc)
      const before = { ...(await valuesOf(qdisc, 'near')), ...(await valuesOf(netDev, 'near')) }
      const { socket, bytesSent, segments } = await send()
      const after = { ...(await valuesOf(qdisc, 'near')), ...(await valuesOf(netDev, 'near')) }
      await end(socket)

      t.equal(difference(after, before, 'wire_packets_total'), segments, 'packets are segments')
      t.equal(difference(after, before, 'wire_bytes_total'), bytesSent + HEADERS * segments + MORE_IN_SYN, 'bytes hold headers for each')
      const superPackets = difference(after, before, 'network_transmit_packets_total')
      const ipBytes = difference(after, before, 'network_transmit_bytes_total') - 14 * superPackets
      t.equal(ipBytes, bytesSent + HEADERS * superPackets + MORE_IN_SYN, 'the device itself counts headers once per super-packet')
      t.ok(superPackets < segments / 2, `${superPackets} super-packets became ${segments} segments`)
    })
  }

  t.test('a discipline that is replaced starts over, and is served as it says', async (t) => {
    tc('qdisc replace dev near root handle 7: pfifo')
    const { socket, segments } = await send()
    t.equal((await valuesOf(qdisc, 'near'))['wire_packets_total'], segments)
    await end(socket)
    tc('qdisc replace dev near root handle 8: pfifo_fast')
    t.same(await valuesOf(qdisc, 'near'), { wire_bytes_total: 0, wire_packets_total: 0 })
  })
})
