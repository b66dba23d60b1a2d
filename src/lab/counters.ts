// The truth that everything else is measured against: what a device of a namespace has sent and received.
import { runIn } from './program.js'

export interface DeviceCounters {
  readonly receivedBytes: number
  readonly receivedPackets: number
  readonly sentBytes: number
  readonly sentPackets: number
}

const ETHERNET_HEADER = 14

/** A device counts frames. A super-packet (GSO) is one frame with one header here, as at the netfilter hooks. */
const ipBytesOf = ({ bytes, packets }: { readonly bytes: number; readonly packets: number }): number => bytes - ETHERNET_HEADER * packets

export const sentIpBytes = (device: DeviceCounters): number => ipBytesOf({ bytes: device.sentBytes, packets: device.sentPackets })
export const receivedIpBytes = (device: DeviceCounters): number =>
  ipBytesOf({ bytes: device.receivedBytes, packets: device.receivedPackets })

/** All devices of a namespace by name. /proc/net is the reader's own network namespace, /sys/class/net the one it was mounted in. */
async function readCounters(namespace: string): Promise<ReadonlyMap<string, DeviceCounters>> {
  return parseNetDev(await runIn(namespace, ['cat', '/proc/net/dev']))
}

export async function readDevice(namespace: string, device: string): Promise<DeviceCounters> {
  const counters = (await readCounters(namespace)).get(device)
  if (!counters) throw new Error(`no device ${device} in ${namespace}`)
  return counters
}

/** After two lines of heading: `  eth0: ` and eight numbers received (bytes, packets, ...), then eight sent. */
export function parseNetDev(text: string): ReadonlyMap<string, DeviceCounters> {
  const lines = text.split('\n').slice(2).filter(Boolean)
  return new Map(lines.map((line) => deviceOf(line)))
}

function deviceOf(line: string): [string, DeviceCounters] {
  const colon = line.lastIndexOf(':')
  const numbers = line
    .slice(colon + 1)
    .trim()
    .split(/\s+/)
    .map(Number)
  const at = (index: number): number => numbers[index] ?? Number.NaN
  return [line.slice(0, colon).trim(), { receivedBytes: at(0), receivedPackets: at(1), sentBytes: at(8), sentPackets: at(9) }]
}
