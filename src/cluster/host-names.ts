// What is known by a host name, such as a load balancer: its addresses, asked for again as often as the name servers want.
import type { Clock, Log } from '../deps.js'
import type { AddressesOf } from '../identity/lasting-tenancies.js'
import { createSlots } from '../slots.js'

export interface Resolved {
  readonly address: string
  readonly ttlSeconds: number
}

/** Rejects where there is no answer. */
export type ResolveHost = (name: string, signal: AbortSignal) => Promise<readonly Resolved[]>

export interface HostNames {
  /** `told` hears at once, and whenever an address of these names changes; later names of the same key take their place. */
  set(key: string, names: readonly string[], told: (addressesOf: AddressesOf) => void): void
  remove(key: string): void
}

interface Host {
  addresses: readonly string[]
  readonly ending: AbortController
  readonly listeners: Set<string>
}

interface Wish {
  readonly names: readonly string[]
  readonly told: (addressesOf: AddressesOf) => void
}

const AT_ONCE = 4
/** Further names wait until one of these is nobody's any more. */
const MOST_HOSTS = 1_000
const SHORTEST_MS = 30_000
const LONGEST_MS = 600_000
const AGAIN_MS = 60_000

export interface HostNamesParts {
  readonly resolve: ResolveHost
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** What has these names, for people: a resource of the API server. */
  readonly resource: string
}

/** What was resolved once stands until there is another answer. */
export function createHostNames({ resolve, clock, log, resource }: HostNamesParts, signal: AbortSignal): HostNames {
  const slots = createSlots(AT_ONCE)
  /** All that somebody has, those that wait as well. */
  const hosts = new Map<string, Host>()
  const waiting = new Set<string>()
  let isSaid = false
  const wishes = new Map<string, Wish>()

  const addressesOf: AddressesOf = (name) => hosts.get(name)?.addresses ?? []

  const tell = (key: string): void => wishes.get(key)?.told(addressesOf)

  async function ask(name: string, host: Host): Promise<number> {
    const found = await slots(() => resolve(name, host.ending.signal), host.ending.signal)
    const addresses = found.map(({ address }) => address).sort()
    const isNew = String(addresses) !== String(host.addresses)
    host.addresses = addresses
    if (isNew) for (const key of host.listeners) tell(key)
    const ttlMs = Math.min(...found.map(({ ttlSeconds }) => ttlSeconds * 1000))
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs))
  }

  async function follow(name: string, host: Host): Promise<void> {
    while (!host.ending.signal.aborted) {
      const waitMs = await ask(name, host).catch(() => AGAIN_MS)
      await clock.sleep(waitMs, host.ending.signal).catch(() => undefined)
    }
  }

  function listen(key: string, name: string): void {
    const known = hosts.get(name)
    if (known) {
      known.listeners.add(key)
      return
    }
    const host: Host = { addresses: [], ending: new AbortController(), listeners: new Set([key]) }
    const isFull = hosts.size - waiting.size >= MOST_HOSTS
    hosts.set(name, host)
    if (isFull) wait(name)
    else void follow(name, host)
  }

  function wait(name: string): void {
    waiting.add(name)
    if (isSaid) return
    isSaid = true
    log.warn('too many host names: the addresses of further ones stay unknown', { limit: MOST_HOSTS, resource, first: name })
  }

  function leave(key: string, names: readonly string[]): void {
    for (const name of names) {
      const host = hosts.get(name)
      host?.listeners.delete(key)
      if (host?.listeners.size !== 0) continue
      host.ending.abort()
      hosts.delete(name)
      if (!waiting.delete(name)) followNext()
    }
  }

  function followNext(): void {
    const [name] = waiting
    const host = name !== undefined && hosts.get(name)
    if (!host) return
    waiting.delete(name)
    void follow(name, host)
  }

  signal.addEventListener('abort', () => {
    for (const { ending } of hosts.values()) ending.abort()
  })
  return {
    set(key, names, told) {
      const before = wishes.get(key)?.names ?? []
      wishes.set(key, { names, told })
      for (const name of names) listen(key, name)
      leave(
        key,
        before.filter((name) => !names.includes(name)),
      )
      tell(key)
    },
    remove(key) {
      leave(key, wishes.get(key)?.names ?? [])
      wishes.delete(key)
    },
  }
}
