// /proc/net/dev: one line per device of a network namespace, as dev_seq_printf_stats writes it (net/core/net-procfs.c).
//   face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
//     eth0: 421197482   10287    0    0    0     0          0         0   748489    6207    0    0    0     0       0          0
// Needs nothing. Absent only where /proc is not mounted.
import { untilAborted } from '../deadline.js'
import type { Deps } from '../deps.js'
import type { Family, Source } from '../model.js'
import { isMissing, NotHere, type Parsed, readingOf } from './source.js'

// `thread-self`: /proc/net/dev shows the namespace of the main thread, which may be inside a pod's just when another thread opens the file.
const PATH = '/proc/thread-self/net/dev'

const COUNTERS_PER_LINE = 16

export const receiveBytes = counter('meshtoll_node_network_receive_bytes_total', 'Bytes received by the device, link headers included.')
export const transmitBytes = counter('meshtoll_node_network_transmit_bytes_total', 'Bytes sent by the device, link headers included.')

/** Which column of the line each family serves. */
const columns: readonly (readonly [Family, number])[] = [
  [receiveBytes, 0],
  [counter('meshtoll_node_network_receive_packets_total', 'Packets received by the device; merged segments are one.'), 1],
  [counter('meshtoll_node_network_receive_drops_total', 'Packets received by the device and dropped or missed.'), 3],
  [transmitBytes, 8],
  [counter('meshtoll_node_network_transmit_packets_total', 'Packets sent by the device; segments not yet split are one.'), 9],
  [counter('meshtoll_node_network_transmit_drops_total', 'Packets dropped on their way out of the device.'), 11],
]

export const families: readonly Family[] = columns.map(([family]) => family)

/** `counters`: the sixteen numbers in the line's order. */
export interface DeviceRow {
  readonly device: string
  readonly counters: readonly number[]
}

export function createNetDev({ readFile }: Pick<Deps, 'readFile'>): Source {
  return {
    name: 'net-dev',
    families,
    needs: [{ kind: 'file', path: PATH }],
    async read(signal) {
      const { rows, rejected } = parseNetDev(await readText(readFile, signal))
      const readings = rows.flatMap(({ device, counters }) =>
        columns.map(([family, column]) => readingOf(family, { device }, counters[column] ?? 0)),
      )
      return { readings, rejected }
    },
  }
}

/** Two lines of headings, then one row per device; a line without all its numbers is rejected, the others stand. */
export function parseNetDev(text: string): Parsed<DeviceRow> {
  const lines = text.split('\n').slice(2).filter(Boolean)
  const rows = lines.flatMap((line) => parseLine(line) ?? [])
  return { rows, rejected: lines.length - rows.length }
}

// A device's name has neither spaces nor a colon (dev_valid_name, net/core/dev.c).
function parseLine(line: string): DeviceRow | undefined {
  const colon = line.indexOf(':')
  const device = line.slice(0, Math.max(colon, 0)).trim()
  const numbers = line
    .slice(colon + 1)
    .trim()
    .split(/ +/)
  const isWhole = device !== '' && numbers.length === COUNTERS_PER_LINE && numbers.every((number) => /^\d+$/.test(number))
  return isWhole ? { device, counters: numbers.map(Number) } : undefined
}

async function readText(readFile: Deps['readFile'], signal: AbortSignal): Promise<string> {
  try {
    return await untilAborted(readFile(PATH, signal), signal)
  } catch (error) {
    throw isMissing(error) ? new NotHere(`${PATH} does not exist`, { cause: error }) : error
  }
}

function counter(name: string, help: string): Family {
  return { name, kind: 'counter', labels: ['device'], help }
}
