// What istiod says of its proxies (istio.io: pilot/pkg/xds/debug.go).
//   /debug/syncz        [{"proxy":"cart-7f9c-x2x4v.shop","proxy_type":"sidecar","istio_version":"1.31.0","cluster_sent":NONCE,"cluster_acked":NONCE,
//                         "resources":{"type.googleapis.com/envoy.config.cluster.v3.Cluster":
//                           {"sent":NONCE,"acked":NONCE,"sentTime":"2026-11-21T05:47:03.180739191Z","lastError":"..."}}}]
//   /debug/connections  {"totalClients":1,"clients":[{"connectionId":"cart-7f9c-x2x4v.shop-3","connectedAt":"2026-...Z","address":"10.1.0.2:48078"}]}
// A NONCE begins with the time of the configuration, 2026-11-21T05:47:03Z/54..., which may be long before it was sent to a proxy that is new.
// `resources` is there since 1.23; what it leaves out, or a proxy never asked for, is empty.
import { fieldsOf, type Raw, textOf, timeMsOf } from '../../formats/raw.js'
import { shortTypeOf } from '../../formats/xds-types.js'
import { createListSplitter } from '../../kube/list-splitter.js'

/** What was sent of one type, and not acknowledged. */
export interface Pending {
  readonly xds: string
  /** The last one that it took; '' where it took none. */
  readonly acked: string
  /** When the last one was sent; undefined before 1.23. */
  readonly sentMs: number | undefined
  /** Of the configuration that was sent. */
  readonly configMs: number | undefined
  /** Why it was rejected; '' where nothing was answered. */
  readonly error: string
}

export interface ProxyStatus {
  /** POD.NAMESPACE */
  readonly proxy: string
  readonly type: string
  readonly version: string
  readonly pending: readonly Pending[]
}

export interface Connection {
  readonly address: string
  readonly connectedMs: number | undefined
}

export interface Statuses {
  readonly proxies: readonly ProxyStatus[]
  /** All types that are sent to one of them. */
  readonly xds: ReadonlySet<string>
  readonly rejected: number
}

export interface Reader<T> {
  /** Throws where it is no answer of an istiod. */
  write(piece: string): void
  end(): T
}

const TYPES = new Set(['sidecar', 'router', 'waypoint', 'ztunnel'])
const CONFIGURATION = 'type.googleapis.com/'
const OTHER = '_other'
/** Before 1.23. */
const PREFIXES = { cds: 'cluster', lds: 'listener', rds: 'route', eds: 'endpoint', ecds: 'extensionconfig' }
/** A proxy with all types takes some thousand bytes, and an error as many as Envoy writes. */
const MAX_ELEMENT_BYTES = 1 << 20
/** More than any istiod has connected; whoever calls itself one is asked. */
const MAX_PROXIES = 50_000
/** Of a pod and its namespace. */
const MAX_NAME = 317
const MAX_ERROR = 200
const MAX_WORD = 64
const CONNECTION = /^(.+)-\d+$/
const PORT = /:\d+$/

export function createStatuses(): Reader<Statuses> {
  const proxies: ProxyStatus[] = []
  const xds = new Set<string>()
  let rejected = 0
  // An array of its own is an element of what the splitter takes apart.
  const reader = createElements('items', (element) => {
    const status = statusOf(fieldsOf(element), xds)
    if (!status || proxies.length >= MAX_PROXIES) rejected++
    else proxies.push(status)
  })
  reader.write('{"items":')
  return {
    write: reader.write,
    end() {
      reader.write('}')
      reader.end()
      return { proxies, xds, rejected }
    },
  }
}

/** By proxy; of several connections of one the last one. */
export function createConnections(): Reader<ReadonlyMap<string, Connection>> {
  const byProxy = new Map<string, Connection>()
  const reader = createElements('clients', (element) => {
    const { connectionId, connectedAt, address } = fieldsOf(element)
    const [, proxy] = CONNECTION.exec(textOf(connectionId)) ?? []
    if (proxy === undefined || proxy.length > MAX_NAME || byProxy.size >= MAX_PROXIES) return
    const connection = { address: hostOf(textOf(address)), connectedMs: timeMsOf(connectedAt) }
    const before = byProxy.get(proxy)
    if ((before?.connectedMs ?? 0) <= (connection.connectedMs ?? 0)) byProxy.set(proxy, connection)
  })
  return {
    write: reader.write,
    end() {
      reader.end()
      return byProxy
    },
  }
}

/** In words that are the same for all who fail alike. */
function createElements(items: string, onElement: (element: unknown) => void): Reader<void> {
  const splitter = createListSplitter(onElement, { items, maxValueBytes: MAX_ELEMENT_BYTES })
  const understood = (read: () => unknown): void => {
    try {
      read()
    } catch (error) {
      throw new Error('it is no istiod', { cause: error })
    }
  }
  return { write: (piece) => understood(() => splitter.write(Buffer.from(piece))), end: () => understood(splitter.end) }
}

function statusOf(raw: Raw, xds: Set<string>): ProxyStatus | undefined {
  const proxy = textOf(raw['proxy'])
  if (proxy === '' || proxy.length > MAX_NAME) return undefined
  const type = textOf(raw['proxy_type'])
  const pending = new Map<string, Pending>()
  for (const [name, resource] of resourcesOf(raw)) {
    const [sent, acked] = [textOf(resource['sent']), textOf(resource['acked'])]
    if (sent === '') continue
    xds.add(name)
    if (sent === acked) continue
    const error = textOf(resource['lastError']).slice(0, MAX_ERROR)
    // Two types may have one short name.
    pending.set(name, { xds: name, acked, sentMs: timeMsOf(resource['sentTime']), configMs: timeMsOf(sent.split('/', 1)[0]), error })
  }
  return {
    proxy,
    type: TYPES.has(type) ? type : OTHER,
    version: textOf(raw['istio_version']).slice(0, MAX_WORD),
    pending: [...pending.values()],
  }
}

function* resourcesOf(raw: Raw): Generator<readonly [xds: string, resource: Raw]> {
  if (raw['resources'] === undefined) {
    for (const [xds, prefix] of Object.entries(PREFIXES)) yield [xds, { sent: raw[`${prefix}_sent`], acked: raw[`${prefix}_acked`] }]
    return
  }
  for (const [type, resource] of Object.entries(fieldsOf(raw['resources']))) {
    // All else are answers to tools, which acknowledge nothing.
    if (type.startsWith(CONFIGURATION)) yield [shortTypeOf(type) ?? OTHER, fieldsOf(resource)]
  }
}

/** Of `10.1.0.2:48078` and `[fd00::2]:48078`. */
const hostOf = (address: string): string =>
  address
    .slice(0, MAX_WORD)
    .replace(PORT, '')
    .replace(/^\[|\]$/g, '')
