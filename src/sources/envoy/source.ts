// The Istio proxies of this node: what configuration they receive and reject, and which of their requests fail. Envoy is asked at port 15090
// for the little that is wanted, and now and then its pilot-agent at port 15020 for its connection to istiod: the one to Envoy is a local socket.
// Needs a way to these ports, which are plain HTTP whatever the mesh's mTLS, and for pods that they are told of.
import type { Clock, Log } from '../../deps.js'
import type { Reading, Readings, Source } from '../../model.js'
import { createScraping, placeOf, type Scraped, type Scraping, type Target } from '../scraping.js'
import { type AgentStats, parseAgentStats } from './agent-stats.js'
import {
  clusters,
  configRejected,
  configUpdate,
  connectionFailures,
  connectionTerminations,
  failedRequests,
  families,
  proxies,
  unreachable,
  xdsReceive,
} from './families.js'
import { createLives } from './lives.js'
import { createRotations, type Rotations } from './rotations.js'
import { type ProxyStats, parseStats } from './stats.js'

/** Asks over HTTP; rejects with what is the reason of a failure. */
export interface Http {
  get(url: string, signal: AbortSignal): Promise<string>
  leave(url: string): void
  close(): Promise<void>
}

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

interface Timed extends ProxyStats {
  /** When it began, and so its counters. */
  readonly startedMs: number | undefined
}

/** Whoever comes up or goes down may fail once. */
const LASTS = 2

export function createEnvoy(parts: EnvoyParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { open, targets, agents, intervalMs, agentIntervalMs } = parts
  const lives = createLives()
  const rotations = createRotations()
  let http: Promise<Http> | undefined
  let rejected = 0

  async function textOf({ url }: { readonly url: string }, signal: AbortSignal): Promise<string> {
    http ??= open()
    return (await http).get(url, signal)
  }

  const leave = ({ url }: Target): void => {
    if (url !== undefined) void http?.then((opened) => opened.leave(url))
  }

  async function askProxy(target: Target & { readonly url: string }, signal: AbortSignal): Promise<Timed> {
    const stats = await parseStats(await textOf(target, signal))
    const { uptimeSeconds } = stats
    rejected += stats.rejectedRows
    return { ...stats, startedMs: uptimeSeconds === undefined ? undefined : lives.startedMs(target.name, uptimeSeconds, deps.clock.now()) }
  }

  const proxyScraping = createScraping<Timed>({ name: 'envoy', intervalMs, targets, ask: askProxy, leave }, deps)
  const agentScraping: Scraping<AgentStats> | undefined =
    agentIntervalMs === 'off'
      ? undefined
      : createScraping(
          {
            name: 'envoy',
            intervalMs: agentIntervalMs,
            targets: agents,
            ask: async (target, signal) => parseAgentStats(await textOf(target, signal)),
            leave,
          },
          deps,
        )

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
      throwWhereAllFail(asked)
      const names = new Set(asked.map(({ target }) => target.name))
      lives.keep(names)
      rotations.keep(names)
      const readings = [...asked.flatMap((one) => [...proxyReadings(one, rotations)]), ...agentsAsked.flatMap(agentReadings)]
      const said = { readings, rejected }
      rejected = 0
      return said
    },
  }
}

function throwWhereAllFail(asked: readonly Scraped<unknown>[]): void {
  const failed = asked.filter(({ failures }) => failures >= LASTS)
  const [first] = failed
  if (!first || failed.length < asked.filter(({ target }) => target.url !== undefined).length) return
  throw new Error(`none of ${failed.length} asked proxies answers, such as ${placeOf(first.target)}: ${first.failure}`)
}

function* proxyReadings({ target, said, failure }: Scraped<Timed>, rotations: Rotations): Generator<Reading> {
  const common = commonOf(target)
  yield { kind: 'value', ...common, family: proxies, value: 1 }
  yield { kind: 'value', ...common, family: unreachable, value: failure === undefined ? 0 : 1 }
  if (said?.clusters !== undefined) yield { kind: 'value', ...common, family: clusters, value: said.clusters }
  if (said?.updatedMs !== undefined) yield { kind: 'value', ...common, family: configUpdate, value: said.updatedMs / 1_000 }
  const total = { kind: 'total', ...common, target: `envoy ${target.name}`, startedMs: said?.startedMs ?? target.startedMs } as const
  yield { ...total, family: xdsReceive, series: '', value: said?.xdsReceiveBytes }
  if (!said) return
  for (const { xds, count } of said.rejected)
    yield { ...total, family: configRejected, labels: { ...target.labels, xds }, series: xds, value: count }
  for (const { series, labels, count } of rotations.complete(target.name, said.failed))
    yield { ...total, family: failedRequests, labels: { ...target.labels, ...labels }, series, value: count }
}

function agentReadings({ target, said }: Scraped<AgentStats>): readonly Reading[] {
  const startedMs = said?.startedMs ?? target.startedMs
  const total = { kind: 'total', ...commonOf(target), target: `pilot-agent ${target.name}`, series: '', startedMs } as const
  return [
    { ...total, family: connectionFailures, value: said?.failures },
    { ...total, family: connectionTerminations, value: said?.terminations },
  ]
}

const commonOf = ({ pod, labels }: Target) => ({ labels, ...(pod ? { pod } : {}) })
