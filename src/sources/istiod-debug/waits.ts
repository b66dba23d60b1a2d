// Since when a proxy has not acknowledged anything. istiod knows when it sent the last thing, and sends on: a proxy that stands still would look
// as if it had just begun to.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Connection, Pending, ProxyStatus, Statuses } from './answers.js'

export interface Waiting extends Pending {
  readonly sinceMs: number
}

export interface ConnectedProxy extends Omit<ProxyStatus, 'pending'>, Partial<Connection> {
  readonly waiting: readonly Waiting[]
  /** Of the one that waits longest; infinite where none does. */
  readonly sinceMs: number
}

export interface Asked extends Omit<Statuses, 'proxies'> {
  readonly atMs: number
  readonly proxies: readonly ConnectedProxy[]
}

export interface Waits {
  /** What the istiod said, beginning at `atMs`. */
  see(statuses: Statuses, connections: ReadonlyMap<string, Connection>, atMs: number): Promise<Asked>
}

/** Takes a millisecond at most. */
const TURN_LENGTH = 100

/** Of one istiod. */
export function createWaits(): Waits {
  /** By what each has acknowledged last: as long as that does not change, it is behind. */
  let known = new Map<string, number>()
  let lastMs = 0

  return {
    async see({ proxies, xds, rejected }, connections, atMs) {
      const now = new Map<string, number>()
      const seen: ConnectedProxy[] = []
      for (const { pending, ...status } of proxies) {
        const connection = connections.get(status.proxy)
        const bounds = { connectedMs: connection?.connectedMs ?? 0, lastMs, atMs }
        const waiting = pending.map((one) => {
          const key = `${status.proxy}\0${one.xds}\0${one.acked}`
          const sinceMs = Math.min(known.get(key) ?? begunMs(one, bounds), atMs)
          now.set(key, sinceMs)
          return { ...one, sinceMs }
        })
        seen.push({ ...status, ...connection, waiting, sinceMs: Math.min(...waiting.map((one) => one.sinceMs)) })
        if (seen.length % TURN_LENGTH === 0) await turnOfTheLoop()
      }
      known = now
      lastMs = atMs
      return { proxies: seen, xds, rejected, atMs }
    },
  }
}

interface Bounds {
  readonly connectedMs: number
  /** When it was not behind yet, as far as is known. */
  readonly lastMs: number
  readonly atMs: number
}

/** The configuration may be older than the proxy, and than the last answer, which told of nothing. */
function begunMs({ sentMs, configMs }: Pending, { connectedMs, lastMs, atMs }: Bounds): number {
  return sentMs ?? Math.max(configMs ?? atMs, connectedMs, lastMs)
}
