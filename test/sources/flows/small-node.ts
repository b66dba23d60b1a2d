// A node in a network namespace of its own: an uplink whose far end takes everything and answers nothing, and sources over it.
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Log, OpenNetlink } from '../../../src/deps.js'
import { loadLock } from '../../../src/kernel/lock.js'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { createRtnetlink } from '../../../src/kernel/rtnetlink.js'
import type { FlowReading, PairColumn } from '../../../src/model/flows.js'
import { createFlows, type FlowDeps, type FlowOptions, type FlowSource } from '../../../src/sources/flows/source.js'

export const IPV4_UDP = 28
export const IPV6_UDP = 48
const ETHERNET = 14

export const ip = (...lines: readonly string[]): void => {
  for (const line of lines) execFileSync('ip', line.split(' '))
}

/** Without IPv6 a device says nothing of itself. */
export const beSilent = (device: string): void => writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1')

/** 10.9.0.0/16 and fd09::/64 are reached through the uplink; nothing comes back. */
export function setUpNode(): void {
  ip('link set lo up', 'link add uplink type veth peer name far')
  // Only one end talks, and of itself as little as IPv6 lets it.
  beSilent('far')
  ip('link set uplink addrgenmode none', 'link set uplink up', 'link set far up')
  ip('addr add 10.0.0.1/24 dev uplink', 'addr add fd00::1/64 dev uplink nodad')
  ip('neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev uplink', 'neigh add fd00::9 lladdr 02:00:00:00:00:09 dev uplink')
  ip('route add default via 10.0.0.9', '-6 route add fd09::/64 via fd00::9')
}

export const OPTIONS: FlowOptions = {
  table: 'meshtoll',
  maxPairs: 1024,
  ownership: 'auto',
  tunnelPorts: [4789, 51820],
  rotateEveryMs: 86_400_000,
  kubernetes: false,
  cpus: 2,
  memoryBytes: 2 ** 32,
}

export const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    if (ms === 0) await setImmediate(undefined, signal ? { signal } : {})
    else await sleep(ms, undefined, signal ? { signal } : {})
  },
}

export interface Told {
  readonly lines: string[]
  readonly epochs: string[]
}

export interface TestFlows extends FlowSource, Told {
  flowReading(): Promise<FlowReading>
}

export async function flowsOf(options: Partial<FlowOptions> = {}, deps: Partial<FlowDeps> = {}): Promise<TestFlows> {
  const lines: string[] = []
  const epochs: string[] = []
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const flows = createFlows(
    { ...OPTIONS, ...options },
    {
      clock: CLOCK,
      log,
      openNetlink: await loadNetlink(),
      readFile: (path) => readFile(path, 'utf8'),
      random: () => Math.random().toString(16).slice(2),
      takeLock: await loadLock(),
      announceEpoch: async (epoch) => void epochs.push(epoch),
      findCgroupLevel: async () => undefined,
      ...deps,
    },
  )
  const flowReading = async (): Promise<FlowReading> => {
    const { readings } = await flows.read(AbortSignal.timeout(30_000))
    const found = readings.find((reading) => reading.kind === 'flows')
    if (!found) throw new Error('no reading of flows')
    return found
  }
  // The getters of the source are kept.
  return Object.assign(Object.create(flows), { lines, epochs, flowReading })
}

/** Text of both addresses to bytes, over all generations. */
export function bytesByPair({ pairs, generations }: FlowReading, column: 'seen' | 'via' = 'seen'): Record<string, number> {
  const found: Record<string, number> = {}
  for (const generation of generations) {
    const { count, pair, bytes }: PairColumn = generation[column]
    for (let index = 0; index < count; index++) {
      const id = pair[index] ?? -1
      const name = `${pairs.addressText(pairs.sourceOf(id))} ${pairs.addressText(pairs.destinationOf(id))}`
      found[name] = (found[name] ?? 0) + (bytes[index] ?? 0)
    }
  }
  return found
}

export const sumOf = (values: Readonly<Record<string, number>>): number => Object.values(values).reduce((sum, value) => sum + value, 0)

/** What the reading says is missing: 0 when the books balance, less when something came between its parts. */
export function imbalanceOf(reading: FlowReading): number {
  const { observed, tunnel, overflow } = reading.counters
  return observed - tunnel - overflow - sumOf(bytesByPair(reading))
}

/** Of a reading during which nothing came, such as words of the kernel with its neighbours; else of the last of some. */
export async function imbalanceAtRest(flows: TestFlows, readings = 10): Promise<number> {
  const imbalance = imbalanceOf(await flows.flowReading())
  return imbalance === 0 || readings === 1 ? imbalance : imbalanceAtRest(flows, readings - 1)
}

/** IP bytes that the uplink has sent since it was made. */
export function sentByUplink(open: OpenNetlink): number {
  const rtnetlink = createRtnetlink(open)
  const uplink = rtnetlink.links().find(({ name }) => name === 'uplink')
  rtnetlink.close()
  return uplink ? uplink.txBytes - ETHERNET * uplink.txPackets : 0
}

/** One datagram of `size` bytes of payload to each address, `times` over. */
export async function sendTo(addresses: readonly string[], { size = 100, times = 1, port = 9 } = {}): Promise<void> {
  const sockets = { udp4: createSocket('udp4'), udp6: createSocket('udp6') }
  const payload = Buffer.alloc(size)
  const send = (socket: Socket, address: string): Promise<void> =>
    new Promise((resolve, reject) => socket.send(payload, port, address, (error) => (error ? reject(error) : resolve())))
  for (let time = 0; time < times; time++) {
    for (const address of addresses) await send(sockets[address.includes(':') ? 'udp6' : 'udp4'], address)
  }
  for (const socket of Object.values(sockets)) socket.close()
}

export const addressesFrom = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `10.9.${Math.floor(index / 250)}.${(index % 250) + 1}`)

/** Kernels announce their multicast groups now and then: a reading during which the device sent nothing. */
export async function readAtRest(flows: TestFlows, sentBytes: () => number): Promise<{ reading: FlowReading; sent: number }> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const sent = sentBytes()
    const reading = await flows.flowReading()
    if (sentBytes() === sent) return { reading, sent }
  }
  throw new Error('the device never rests')
}
