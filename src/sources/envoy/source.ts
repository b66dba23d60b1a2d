// The Istio proxies of this node: what configuration they receive and reject, and which of their requests fail. Envoy is asked at port 15090
// for the little that is wanted, and now and then its pilot-agent at port 15020 for its connection to istiod: the one to Envoy is a local socket.
// Needs a way to these ports, which are plain HTTP whatever the mesh's mTLS, and for pods that they are told of.
import type { Clock, Log } from '../../deps.js'
import type { Reading, Readings, Source } from '../../model.js'
import { createPauses } from '../../pauses.js'
import type { HttpGet } from '../http-get.js'
import { createScraping, refuseWhereAllFail, type Scraped, type Target } from '../scraping.js'
import { readAgentStats } from './agent-stats.js'
import { families } from './families.js'
import { createLives } from './lives.js'
import { createProxyReadings, type Timed } from './readings.js'
import { createRooms } from './rooms.js'
import { type KnownRequests, readStats } from './stats.js'

export type Http = Pick<HttpGet, 'read' | 'leave' | 'close'>

export interface EnvoyParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Http>
  /** Envoys. */
  readonly targets: () => Iterable<Target>
  /** Their pilot-agents. */
  readonly agents: () => Iterable<Target>
  readonly intervalMs: number
  /** `off`: they are not asked. */
  readonly agentIntervalMs: number | 'off'
}

type Asked = Target & { readonly url: string }

export function createEnvoy(parts: EnvoyParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { open, targets, agents, intervalMs, agentIntervalMs } = parts
  const lives = createLives()
  const known = new Map<string, KnownRequests>()
  const rooms = createRooms()
  const { proxyReadings, agentReadings, keep } = createProxyReadings()
  let http: Promise<Http> | undefined
  let rejected = 0

  async function ask<T>({ url }: Asked, read: (pieces: AsyncIterable<string>) => Promise<T>, signal: AbortSignal): Promise<T> {
    http ??= open()
    return (await http).read(url, read, signal)
  }

  const leave = ({ url }: Target): void => {
    if (url !== undefined) void http?.then((opened) => opened.leave(url))
  }

  async function askProxy(target: Asked, signal: AbortSignal): Promise<Timed> {
    const { name } = target
    const read = (pieces: AsyncIterable<string>) => readStats(pieces, { known: known.get(name), room: rooms.of(name) })
    const { stats, known: now } = await ask(target, read, signal)
    known.set(name, now)
    rooms.take(name, stats.failed.length)
    rejected += stats.rejectedRows
    const { uptimeSeconds } = stats
    return { ...stats, startedMs: uptimeSeconds === undefined ? undefined : lives.startedMs(name, uptimeSeconds, deps.clock.now()) }
  }

  const askAgent = (target: Asked, signal: AbortSignal) => ask(target, readAgentStats, signal)

  const proxyScraping = createScraping<Timed>({ name: 'envoy', intervalMs, targets, ask: askProxy, leave }, deps)
  const agentScraping =
    agentIntervalMs === 'off'
      ? undefined
      : createScraping({ name: 'envoy', intervalMs: agentIntervalMs, targets: agents, ask: askAgent, leave }, deps)

  function forgetOthers(asked: readonly Scraped<unknown>[]): void {
    const names = new Set(asked.map(({ target }) => target.name))
    lives.keep(names)
    keep(names)
    rooms.keep(names)
    for (const name of known.keys()) if (!names.has(name)) known.delete(name)
  }

  return {
    name: 'envoy',
    families,
    needs: [],
    async run(signal) {
      await Promise.all([proxyScraping.run(signal), agentScraping?.run(signal)])
      await http?.then((opened) => opened.close()).catch(() => undefined)
    },
    async read(signal): Promise<Readings> {
      const [asked, agentsAsked = []] = await Promise.all([proxyScraping.read(signal), agentScraping?.read(signal)])
      refuseWhereAllFail(asked, { who: 'proxies' })
      forgetOthers(asked)
      const readings: Reading[] = []
      const { pause } = createPauses(deps.clock)
      for (const one of asked) {
        for (const reading of proxyReadings(one)) readings.push(reading)
        await pause()
      }
      const said = { readings: [...readings, ...agentsAsked.flatMap(agentReadings)], rejected }
      rejected = 0
      return said
    },
  }
}
