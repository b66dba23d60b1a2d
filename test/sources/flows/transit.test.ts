import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { inNamespace } from '../../kernel/in-namespace.js'
import { load } from '../../kernel/nft.js'
import { addNeighbour } from './neighbour.js'
import { bytesByPair, flowsOf, IPV4_UDP, IPV6_UDP, imbalanceOf, ip } from './small-node.js'

const SIZE = 100
const TIMES = 5

/** Answers every datagram with itself. */
const ECHO = `
  for (const type of ['udp4', 'udp6']) {
    const socket = require('node:dgram').createSocket({ type, ipv6Only: type === 'udp6' })
    socket.on('message', (message, { port, address }) => socket.send(message, port, address)).bind(9, () => process.stdout.write('up'))
  }`

/** Sends one after the other, each when the one before was answered. */
const ask = (address: string, port: number): string => `
  const socket = require('node:dgram').createSocket('${address.includes(':') ? 'udp6' : 'udp4'}')
  let left = ${TIMES}
  const send = () => left-- > 0 ? socket.send(Buffer.alloc(${SIZE}), ${port}, '${address}') : socket.close()
  socket.on('message', send)
  send()`

/** Until the answer is there: what comes after the socket is gone would be answered with an ICMP error. */
async function askFrom(source: string, destination: string): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, source, resolve))
  socket.send(Buffer.alloc(SIZE), 9, destination)
  await once(socket, 'message')
  socket.close()
}

await inNamespace(t, import.meta.filename, () => {
  t.test('a node between two others: who asked whom, before and after translation, each byte once', async (t) => {
    ip('link set lo up')
    for (const path of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) writeFileSync(`/proc/sys/net/${path}`, '1')
    const outside = await addNeighbour('outside', ['10.50.0.1/24', '10.50.0.2/24'], ['fd50::1/64', 'fd50::2/64'])
    const inside = await addNeighbour('inside', ['10.60.0.1/24', '10.60.0.2/24'], ['fd60::1/64', 'fd60::2/64'])
    t.teardown(() => {
      outside.leave()
      inside.leave()
    })
    // What kube-proxy does for a NodePort on a node without the pod.
    load(`table inet proxy {
 chain pre {
 type nat hook prerouting priority dstnat
 meta nfproto ipv4 udp dport 30000 dnat ip to 10.60.0.2:9
 meta nfproto ipv6 udp dport 30000 dnat ip6 to [fd60::2]:9
 }
 chain post {
 type nat hook postrouting priority srcnat
 oifname "inside" udp dport 9 ct status dnat masquerade
 oifname "inside" ip saddr 10.50.0.1 masquerade
 }
}`)
    const flows = await flowsOf()
    await flows.open()
    t.equal(flows.status.mode, 'full')
    await inside.start(ECHO)
    const four = TIMES * (SIZE + IPV4_UDP)
    const six = TIMES * (SIZE + IPV6_UDP)

    outside.run(process.execPath, '-e', ask('10.60.0.2', 9))
    const plain = await flows.flowReading()
    t.match(bytesByPair(plain), { '10.50.0.2 10.60.0.2': four, '10.60.0.2 10.50.0.2': four }, 'forwarded')
    t.same(bytesByPair(plain, 'via'), {}, 'nothing was translated')

    outside.run(process.execPath, '-e', ask('10.50.0.1', 30000))
    outside.run(process.execPath, '-e', ask('fd50::1', 30000))
    const reading = await flows.flowReading()
    t.match(bytesByPair(reading), {
      '10.50.0.2 10.60.0.2': 2 * four,
      '10.60.0.2 10.50.0.2': 2 * four,
      'fd50::2 fd60::2': six,
      'fd60::2 fd50::2': six,
    })
    t.same(bytesByPair(reading, 'via'), { '10.50.0.2 10.60.0.2': four, 'fd50::2 fd60::2': six }, 'the answers are no transit of ours')
    t.equal(imbalanceOf(reading), 0)

    t.equal(reading.counters.viaOverflow, 0)

    await askFrom('10.50.0.1', '10.60.0.2')
    const own = await flows.flowReading()
    t.equal(bytesByPair(own)['10.50.0.1 10.60.0.2'], SIZE + IPV4_UDP, 'a process of this node, translated on its way out')
    t.same(bytesByPair(own, 'via'), bytesByPair(reading, 'via'), 'is no transit')
    await flows.uninstall()
  })

  t.test('packets for this node itself', async (t) => {
    const peer = await addNeighbour('peer', ['10.70.0.1/24', '10.70.0.2/24'])
    t.teardown(() => peer.leave())
    const flows = await flowsOf({ table: 'second' })
    await flows.open()
    const echo = createSocket('udp4')
    echo.on('message', (message, { port, address }) => echo.send(message, port, address))
    await new Promise<void>((resolve) => echo.bind(9, resolve))
    await peer.start(`${ask('10.70.0.1', 9)}; socket.on('close', () => process.stdout.write('done'))`)
    echo.close()
    const reading = await flows.flowReading()
    const bytes = TIMES * (SIZE + IPV4_UDP)
    t.match(bytesByPair(reading), { '10.70.0.2 10.70.0.1': bytes, '10.70.0.1 10.70.0.2': bytes })
    t.equal(imbalanceOf(reading), 0)
    await flows.uninstall()
  })
})
