// At rest: does what is served equal what was sent?
import { renderCount } from '../../http/page-rows.js'
import { type Finding, fail, ok } from '../check/finding.js'
import type { NamedFinding } from '../check/render.js'
import { type SentBytes, totalOf } from './interfaces.js'
import { type Owner, type Row, rowsOf } from './rows.js'
import { type AgentSnapshot, seriesOf, sumOf } from './snapshots.js'
import type { Story, StoryPod } from './story.js'
import type { Sent } from './traffic.js'

export interface Facts {
  readonly story: Story
  readonly agents: readonly AgentSnapshot[]
  readonly interfaces: SentBytes
  readonly payload: readonly Sent[]
  readonly ipv6: boolean
}

const HEADERS = { ipv4: 20 + 8, ipv6: 40 + 8 }

export function checksOf(facts: Facts): readonly NamedFinding[] {
  return [
    { name: 'sent = counted', ...checkTotal(facts) },
    { name: 'each sender', ...checkSenders(facts) },
    { name: 'UDP', ...checkUdp(facts) },
    { name: 'books', ...checkBooks(facts) },
    { name: 'sums', ...checkSums(facts) },
  ]
}

function checkTotal({ agents, interfaces }: Facts): Finding {
  const sent = totalOf(interfaces)
  const counted = agents.reduce((sum, { books }) => sum + books.posted, 0)
  if (sent === counted && sent > 0) return ok(`${renderCount(sent)} bytes by the interfaces of ${interfaces.size} namespaces`)
  return fail(`sent ${renderCount(sent)} bytes, counted ${renderCount(counted)}, ${renderCount(counted - sent)} apart`)
}

/** What was sent and what was counted under one name. */
interface Pair {
  readonly name: string
  readonly sent: number
  readonly counted: number
}

function compare(pairs: readonly Pair[], right: string): Finding {
  const wrong = pairs.filter(({ sent, counted }) => sent !== counted)
  if (wrong.length === 0 && pairs.length > 0) return ok(right)
  const details = wrong.map(({ name, sent, counted }) => `${name}: sent ${renderCount(sent)}, counted ${renderCount(counted)}`)
  return fail(`${wrong.length} of ${pairs.length} differ`, ...details)
}

function checkSenders({ story, agents, interfaces }: Facts): Finding {
  const sent = added(endsOf(story).map((end) => [nameOf(end), interfaces.get(end.name) ?? Number.NaN]))
  const counted = added(allRows(agents).map(({ from, bytes }) => [ownerName(from), bytes]))
  return compare(pairsOf(sent, counted), `${sent.size} owners in their zones, each as many bytes as its own interfaces sent`)
}

/** Only those pairs of owners that exchange nothing but datagrams. */
function checkUdp({ story, agents, payload, ipv6 }: Facts): Finding {
  const ends = new Map(endsOf(story).map((end) => [end.name, nameOf(end)]))
  const datagrams = payload.filter(({ traffic }) => traffic.kind === 'datagrams')
  const between = (from: string, to: string): string => `${from} -> ${to}`
  const sent = added(
    datagrams.map(({ traffic, bytes, packets }) => [
      between(ends.get(traffic.from) ?? '', ends.get(traffic.to) ?? ''),
      bytes + packets * (traffic.ipv6 && ipv6 ? HEADERS.ipv6 : HEADERS.ipv4),
    ]),
  )
  const rows = allRows(agents).map(({ from, to, bytes }): [string, number] => [between(ownerName(from), ownerName(to)), bytes])
  const counted = added(rows.filter(([name]) => sent.has(name)))
  const packets = datagrams.reduce((sum, one) => sum + one.packets, 0)
  return compare(
    pairsOf(sent, counted),
    `${sent.size} owner pairs, ${renderCount(packets)} packets: payload + ${HEADERS.ipv4} bytes each, ${HEADERS.ipv6} over IPv6`,
  )
}

function checkBooks({ agents }: Facts): Finding {
  const wrong = agents.filter(({ books }) => books.difference !== 0 || books.observed === 0)
  if (wrong.length === 0) return ok(`balance on each of ${agents.length} nodes, difference 0`)
  const details = wrong.map(
    ({ node, books }) => `${node}: observed ${renderCount(books.observed)}, difference ${renderCount(books.difference)}`,
  )
  return fail(`do not balance on ${wrong.length} of ${agents.length} nodes`, ...details)
}

function checkSums({ agents }: Facts): Finding {
  const totals = agents.map((agent) => ({
    node: agent.node,
    flows: sumOf(seriesOf(agent, 'meshtoll_flow_bytes_total')),
    zones: sumOf(seriesOf(agent, 'meshtoll_zone_bytes_total')),
    posted: agent.books.posted,
  }))
  const wrong = totals.filter(({ flows, zones, posted }) => flows !== posted || zones !== posted)
  if (wrong.length === 0) return ok('owner pairs and zone pairs each add up to what was posted')
  const details = wrong.map(
    ({ node, flows, zones, posted }) =>
      `${node}: owner pairs ${renderCount(flows)}, zone pairs ${renderCount(zones)}, posted ${renderCount(posted)}`,
  )
  return fail('sums differ', ...details)
}

interface End {
  readonly name: string
  readonly zone: string
  readonly owner: StoryPod['owner']
}

function endsOf(story: Story): readonly End[] {
  const pods = story.nodes.flatMap(({ zone, pods }) => pods.map((pod) => ({ ...pod, zone })))
  return [...pods, ...story.hosts.map((host) => ({ ...host, zone: host.zone ?? '' }))]
}

const ownerName = ({ zone, namespace, kind, name }: Owner): string => [zone, namespace, kind, name].filter(Boolean).join('/')
const nameOf = ({ zone, owner }: End): string => ownerName({ zone, ...owner })
const allRows = (agents: readonly AgentSnapshot[]): readonly Row[] => rowsOf(agents, { since: agents, until: agents })

function added(amounts: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const [name, bytes] of amounts) sums.set(name, (sums.get(name) ?? 0) + bytes)
  return sums
}

function pairsOf(sent: ReadonlyMap<string, number>, counted: ReadonlyMap<string, number>): readonly Pair[] {
  const names = [...new Set([...sent.keys(), ...counted.keys()])]
  return names.map((name) => ({ name, sent: sent.get(name) ?? 0, counted: counted.get(name) ?? 0 }))
}
