// The Istio proxies of this node whose configuration lags: hosts that an Envoy lists at its admin port although their pods have ended. The port is
// on the loopback of the pod, so this needs a way into its network namespace, and to know which pods had which address.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock, Log } from '../../deps.js'
import type { OfPod, Readings, Source } from '../../model.js'
import { createSlots } from '../../slots.js'
import { createScraping, placeOf, refuseWhereAllFail, type Target } from '../scraping.js'
import { createClusterHosts } from './clusters.js'
import { families } from './families.js'
import { createReadings, type Listed } from './readings.js'

/** The last that had an address which nobody has any more. */
export interface EndedPod {
  readonly uid: string
  readonly who: { readonly namespace: string; readonly kind: string; readonly name: string }
  /** Undefined: of no pod that is known, though none but a pod can have it. */
  readonly endedMs: number | undefined
}

export interface Admin {
  /** Hands on the answer in pieces, each when the one before was taken; rejects with what is the reason of a failure. */
  get(target: { readonly url: string; readonly pod: OfPod }, take: (piece: Buffer) => Promise<void>, signal: AbortSignal): Promise<void>
}

export interface EnvoyAdminParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Admin>
  /** By their URLs in their own namespaces. */
  readonly targets: () => Iterable<Target>
  /** Undefined: somebody has the address, or it is not known that nobody does. Asked for every host of every proxy. */
  readonly endedPod: (address: string) => EndedPod | undefined
  readonly intervalMs: number
  /** Before it is believed that nobody has an address. */
  readonly patienceMs: number
}

/** An ended pod is gone from its Services before; until then istiod may wait for more to push (PILOT_DEBOUNCE_MAX). */
const LAGS_FROM_MS = 10_000
/** Of one proxy; what is beyond is not counted. */
const MOST_LISTED = 1_000

export function createEnvoyAdmin(parts: EnvoyAdminParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { open, targets, endedPod, intervalMs, patienceMs } = parts
  const { clock } = deps
  const parsing = createSlots(1)
  const known = new Map<string, Listed>()
  const readings = createReadings({ endedPod, patienceMs })
  let admin: Promise<Admin> | undefined

  /** One piece at a time, whoever's it is, and others get their turn after it. */
  const inTurn = (parse: () => void): Promise<void> =>
    parsing(async () => {
      parse()
      await turnOfTheLoop()
    })

  function lags(address: string, nowMs: number): boolean {
    const ended = endedPod(address)
    return ended !== undefined && (ended.endedMs === undefined || ended.endedMs + LAGS_FROM_MS <= nowMs)
  }

  async function ask({ name, url, pod }: Target & { readonly url: string }, signal: AbortSignal): Promise<Listed> {
    if (!pod) throw new Error('it is no pod')
    admin ??= open().catch((error: unknown) => {
      // It may be for want of a descriptor.
      admin = undefined
      throw error
    })
    const opened = await admin
    const nowMs = clock.now()
    const before = known.get(name)
    const listed = new Map<string, { readonly cluster: string; readonly sinceMs: number }>()
    const hosts = createClusterHosts((address, cluster) => {
      if (listed.has(address) || listed.size >= MOST_LISTED || !lags(address, nowMs)) return
      listed.set(address, { cluster, sinceMs: before?.get(address)?.sinceMs ?? nowMs })
    })
    await opened.get({ url, pod }, (piece) => inTurn(() => hosts.write(piece)), signal)
    hosts.end()
    known.set(name, listed)
    return listed
  }

  const scraping = createScraping<Listed>({ name: 'envoy-admin', intervalMs, targets, ask }, deps)

  return {
    name: 'envoy-admin',
    families,
    needs: [
      // To enter the network namespace of a pod, to open that of another user's process, and to find one.
      { kind: 'capability', name: 'SYS_ADMIN' },
      { kind: 'capability', name: 'SYS_PTRACE' },
      { kind: 'file', path: '/proc' },
    ],
    run: scraping.run,
    async read(signal): Promise<Readings> {
      const asked = await scraping.read(signal)
      refuseWhereAllFail(asked, { who: 'proxies', does: 'answers at its admin port', where: podOf })
      const names = new Set(asked.map(({ target }) => target.name))
      for (const name of known.keys()) if (!names.has(name)) known.delete(name)
      return { readings: readings(asked, clock.now()), rejected: 0 }
    },
  }
}

function podOf(target: Target): string {
  const { pod } = target
  return pod ? `${pod.namespace}/${pod.name}` : placeOf(target)
}
