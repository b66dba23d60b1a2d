import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import t from 'tap'
import { loadNetlink } from '../../src/kernel/netlink.js'
import { createRtnetlink, type Link } from '../../src/kernel/rtnetlink.js'
import { inNamespace } from './in-namespace.js'

const ip = (...lines: readonly string[]): void => {
  for (const line of lines) execFileSync('ip', line.split(' '))
}

await inNamespace(t, import.meta.filename, () => {
  t.before(() => {
    ip('link set lo up', 'link add left type veth peer name right', 'link add second type veth peer name other')
    ip('link add bridge0 type bridge', 'link set right master bridge0')
    for (const name of ['left', 'right', 'second', 'other']) ip(`link set ${name} up`)
    ip('addr add 10.0.0.1/24 dev left', 'addr add 10.7.0.1 peer 10.7.0.2 dev left', 'addr add 10.1.0.1/24 dev second')
    ip('addr add fd00::1/64 dev left nodad', 'route add default via 10.0.0.2', 'route add default via 10.1.0.2 table 77')
    ip('-6 route add default via fd00::2')
    execFileSync('tc', 'qdisc add dev left root pfifo'.split(' '))
  })

  t.test('devices say what they are and whose', async (t) => {
    const rtnetlink = createRtnetlink(await loadNetlink())
    const links = rtnetlink.links()
    rtnetlink.close()
    const named = (name: string): Link | undefined => links.find((link) => link.name === name)
    const shape = (name: string): unknown => {
      const { type, kind, master, up, xdp } = named(name) ?? {}
      return { type, kind, master, up, xdp }
    }
    t.same(shape('lo'), { type: 772, kind: '', master: 0, up: true, xdp: false })
    t.same(shape('left'), { type: 1, kind: 'veth', master: 0, up: true, xdp: false })
    t.same(shape('right'), { type: 1, kind: 'veth', master: named('bridge0')?.index, up: true, xdp: false })
    t.same(shape('bridge0'), { type: 1, kind: 'bridge', master: 0, up: false, xdp: false })
  })

  t.test('the way to an address', async (t) => {
    const rtnetlink = createRtnetlink(await loadNetlink())
    const links = rtnetlink.links()
    const indexOf = (name: string): number | undefined => links.find((link) => link.name === name)?.index
    const word = (a: number, b: number, c: number, d: number): number => (a << 24) | (b << 16) | (c << 8) | d
    t.equal(rtnetlink.deviceTo([word(10, 1, 0, 7)]), indexOf('second'), 'on a link')
    t.equal(rtnetlink.deviceTo([word(203, 0, 113, 7)]), indexOf('left'), 'by the default route')
    t.equal(rtnetlink.deviceTo([word(10, 0, 0, 1)]), indexOf('lo'), 'our own')
    t.equal(rtnetlink.deviceTo([0x20010db8, 0, 0, 1]), indexOf('left'), 'IPv6')
    ip('route add unreachable 192.0.2.0/24')
    t.equal(rtnetlink.deviceTo([word(192, 0, 2, 1)]), undefined, 'none')
    t.equal(rtnetlink.deviceTo([word(10, 1, 0, 7)]), indexOf('second'), 'and the next question is answered')
    rtnetlink.close()
  })

  t.test('addresses are our own ends, in canonical text', async (t) => {
    const rtnetlink = createRtnetlink(await loadNetlink())
    const links = rtnetlink.links()
    const addresses = rtnetlink.addresses().map(({ index, address }) => `${links.find((link) => link.index === index)?.name} ${address}`)
    rtnetlink.close()
    for (const address of ['lo 127.0.0.1', 'lo ::1', 'left 10.0.0.1', 'left 10.7.0.1', 'left fd00::1', 'second 10.1.0.1']) {
      t.ok(addresses.includes(address), address)
    }
    t.notOk(addresses.includes('left 10.7.0.2'), 'not the address of a peer')
  })

  t.test('default routes of every table and family, each device once', async (t) => {
    const rtnetlink = createRtnetlink(await loadNetlink())
    const names = (): unknown[] =>
      rtnetlink.defaultRouteDevices().map((index) => rtnetlink.links().find((link) => link.index === index)?.name)
    t.same(names().sort(), ['left', 'second'])
    ip('route replace default nexthop via 10.0.0.2 nexthop via 10.1.0.2', 'route del default via 10.1.0.2 table 77')
    t.same(names().sort(), ['left', 'second'], 'of a route with several next hops')
    ip('route del default', '-6 route del default', '-6 route add unreachable default')
    t.same(names(), [], 'an unreachable default is none')
    rtnetlink.close()
  })

  t.test('devices and queueing disciplines count what is sent', async (t) => {
    const rtnetlink = createRtnetlink(await loadNetlink())
    ip('neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev left')
    const before = countsOfLeft(rtnetlink)
    await sendDatagram(1000, '10.0.0.9')
    const after = countsOfLeft(rtnetlink)
    rtnetlink.close()
    const frame = 14 + 20 + 8 + 1000
    t.same(
      after.map((value, index) => value - (before[index] ?? 0)),
      [frame, 1, frame, 1],
    )
  })
})

function countsOfLeft(rtnetlink: ReturnType<typeof createRtnetlink>): number[] {
  const link = rtnetlink.links().find(({ name }) => name === 'left')
  const root = rtnetlink.qdiscs().find(({ index, parent, kind }) => index === link?.index && parent === 0xffffffff && kind === 'pfifo')
  return [link?.txBytes ?? -1, link?.txPackets ?? -1, root?.bytes ?? -1, root?.packets ?? -1]
}

async function sendDatagram(bytes: number, to: string): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve, reject) => {
    socket.send(Buffer.alloc(bytes), 9, to, (error) => (error ? reject(error) : resolve()))
  })
  socket.close()
}
