import t from 'tap'
import { KernelError } from '../../src/kernel/errors.js'
import type { Link, Qdisc } from '../../src/kernel/rtnetlink.js'
import { createQdisc, wireRows } from '../../src/sources/qdisc.js'
import { testSourceContract } from '../contract/source.js'

const ROOT = 0xffffffff
const INGRESS = 0xfffffff1
const EOPNOTSUPP = 95

function link(fields: Partial<Link>): Link {
  return { index: 2, name: 'eth0', type: 1, kind: '', master: 0, up: true, xdp: false, txBytes: 0, txPackets: 0, rxBytes: 0, ...fields }
}

function qdisc(fields: Partial<Qdisc>): Qdisc {
  return { index: 2, kind: 'pfifo', handle: 0, parent: ROOT, bytes: 1514_000, packets: 1000, ...fields }
}

function failing(failure: Error): ReturnType<typeof createQdisc> {
  const fail = (): never => {
    throw failure
  }
  return createQdisc({ rtnetlink: { links: fail, qdiscs: fail } })
}

const NODE_LINKS = [link({ index: 1, name: 'lo', type: 772 }), link({}), link({ index: 3, name: 'veth1', kind: 'veth' })]
const NODE_QDISCS = [
  qdisc({ index: 1, kind: 'noqueue', bytes: 0, packets: 0 }),
  qdisc({ kind: 'mq', handle: 0x10000, bytes: 3028_000, packets: 2000 }),
  qdisc({ kind: 'fq_codel', parent: 0x10001 }),
  qdisc({ kind: 'fq_codel', parent: 0x10002 }),
  qdisc({ index: 3, kind: 'noqueue', bytes: 0, packets: 0 }),
]

// No torn rows: a netlink answer is whole or an error. It does not hang: the sockets never block.
testSourceContract(t, {
  absent: () => failing(new KernelError('list the queueing disciplines', EOPNOTSUPP)),
  empty: () => createQdisc({ rtnetlink: { links: () => [], qdiscs: () => [] } }),
  failing,
  recorded: () => createQdisc({ rtnetlink: { links: () => NODE_LINKS, qdiscs: () => NODE_QDISCS } }),
})

t.test('wireRows', async (t) => {
  const eth0 = { device: 'eth0', bytes: 1500_000, packets: 1000 }
  const cases = [
    { name: 'Ethernet: the link header is taken off each segment', links: [link({})], qdiscs: [qdisc({})], rows: [eth0] },
    {
      name: 'mq at the root already holds its queues',
      links: NODE_LINKS,
      qdiscs: NODE_QDISCS,
      rows: [{ device: 'eth0', bytes: 3000_000, packets: 2000 }],
    },
    {
      name: 'WireGuard has no link header',
      links: [link({ name: 'wg0', type: 65534 })],
      qdiscs: [qdisc({})],
      rows: [{ device: 'wg0', bytes: 1514_000, packets: 1000 }],
    },
    { name: 'InfiniBand has one of unknown length', links: [link({ type: 32 })], qdiscs: [qdisc({})], rows: [] },
    { name: 'loopback is no wire, whatever counts on it', links: [link({ name: 'lo', type: 772 })], qdiscs: [qdisc({})], rows: [] },
    {
      name: 'noqueue counts nothing, which is not zero',
      links: [link({})],
      qdiscs: [qdisc({ kind: 'noqueue', bytes: 0, packets: 0 })],
      rows: [],
    },
    { name: 'nor does a device that is down', links: [link({})], qdiscs: [qdisc({ kind: 'noop', bytes: 0, packets: 0 })], rows: [] },
    {
      name: 'a device that has sent nothing yet',
      links: [link({})],
      qdiscs: [qdisc({ bytes: 0, packets: 0 })],
      rows: [{ device: 'eth0', bytes: 0, packets: 0 }],
    },
    {
      name: 'ingress is not what leaves',
      links: [link({})],
      qdiscs: [qdisc({}), qdisc({ kind: 'clsact', parent: INGRESS })],
      rows: [eth0],
    },
    {
      name: 'a child of a class is inside the root',
      links: [link({})],
      qdiscs: [qdisc({ kind: 'htb' }), qdisc({ parent: 0x10001 })],
      rows: [eth0],
    },
    { name: 'a device that went away meanwhile', links: [], qdiscs: [qdisc({})], rows: [] },
    {
      name: 'two devices',
      links: [link({}), link({ index: 5, name: 'eth1' })],
      qdiscs: [qdisc({}), qdisc({ index: 5 })],
      rows: [eth0, { ...eth0, device: 'eth1' }],
    },
  ]
  for (const { name, links, qdiscs, rows } of cases) t.same(wireRows(qdiscs, links), rows, name)
})
