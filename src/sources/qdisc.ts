// The root queueing discipline of each device, from RTM_GETQDISC (TCA_STATS2 basic), as `tc -s qdisc` shows it:
//   qdisc pfifo_fast 0: dev eth0 root refcnt 2 ...
//    Sent 1646292668 bytes 1091464 pkt (dropped 0, overlimits 0 requeues 0)
// It counts what leaves after segmentation: `bytes` holds the link header and the headers of every segment (qdisc_pkt_len_init in
// net/core/dev.c), `packets` the segments. A root with classes counts for all of them; mq adds its queues up when asked (mq_dump).
// Needs no privilege. Absent where the kernel has no queueing disciplines.
import { untilAborted } from '../deadline.js'
import type { Link, Qdisc, Rtnetlink } from '../kernel/rtnetlink.js'
import type { Family, Readings, Source } from '../model.js'
import { NotHere, readingOf } from './source.js'

const wireBytes: Family = {
  name: 'meshtoll_node_wire_bytes_total',
  kind: 'counter',
  labels: ['device'],
  help: 'IP bytes the device sent after segmentation, link headers taken off; counted by its root queueing discipline, starts over with it, absent without one.',
}

const wirePackets: Family = {
  name: 'meshtoll_node_wire_packets_total',
  kind: 'counter',
  labels: ['device'],
  help: 'Packets the device sent after segmentation; counted by its root queueing discipline, starts over with it, absent without one.',
}

export const families: readonly Family[] = [wireBytes, wirePackets]

/** TC_H_ROOT in linux/pkt_sched.h. */
const ROOT = 0xffffffff

/** Kinds that let packets by, or drop them, without counting. */
const COUNTS_NOTHING: ReadonlySet<string> = new Set(['noqueue', 'noop'])

/** Bytes of link header in the discipline's count, by ARPHRD_ type (linux/if_arp.h). Loopback is no wire; of other types we do not know. */
const HEADER_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 14], // Ethernet
  [512, 0], // PPP
  [519, 0], // raw IP
  [768, 0], // IP in IP
  [769, 0], // IPv6 tunnel
  [776, 0], // IPv6 in IPv4
  [778, 0], // GRE
  [823, 0], // GRE over IPv6
  [65534, 0], // none: WireGuard, tun
])

export function createQdisc({ rtnetlink }: { readonly rtnetlink: Pick<Rtnetlink, 'links' | 'qdiscs'> }): Source {
  return {
    name: 'qdisc',
    families,
    needs: [{ kind: 'kernel', feature: 'CONFIG_NET_SCHED' }],
    read: (signal) =>
      untilAborted(
        Promise.resolve().then(() => readWire(rtnetlink)),
        signal,
      ),
  }
}

function readWire(rtnetlink: Pick<Rtnetlink, 'links' | 'qdiscs'>): Readings {
  const rows = wireRows(readQdiscs(rtnetlink), rtnetlink.links())
  const readings = rows.flatMap(({ device, bytes, packets }) => [
    readingOf(wireBytes, { device }, bytes),
    readingOf(wirePackets, { device }, packets),
  ])
  return { readings, rejected: 0 }
}

export interface WireRow {
  readonly device: string
  readonly bytes: number
  readonly packets: number
}

/** A discipline whose device went away between the two dumps is left out. */
export function wireRows(qdiscs: readonly Qdisc[], links: readonly Link[]): readonly WireRow[] {
  const linkOf = new Map(links.map((link) => [link.index, link]))
  return qdiscs.flatMap(({ index, kind, parent, bytes, packets }) => {
    const link = linkOf.get(index)
    const header = link && HEADER_BYTES.get(link.type)
    if (link === undefined || header === undefined || parent !== ROOT || COUNTS_NOTHING.has(kind)) return []
    return [{ device: link.name, bytes: bytes - header * packets, packets }]
  })
}

function readQdiscs(rtnetlink: Pick<Rtnetlink, 'qdiscs'>): readonly Qdisc[] {
  try {
    return rtnetlink.qdiscs()
  } catch (error) {
    const isOff = error instanceof Error && 'code' in error && error.code === 'EOPNOTSUPP'
    throw isOff ? new NotHere('this kernel has no queueing disciplines', { cause: error }) : error
  }
}
