// Lines of istiod's log that tell why it pushes, and what (istio.io: pilot/pkg/xds/{discovery,delta,xdsgen}.go, pilot/pkg/model/endpointshards.go),
// of 1.10 to 1.32.
//   2026-11-21T05:46:20.275502Z	info	ads	Push debounce stable[2] 1 for config Endpoints/noisy/flapper.noisy.svc.cluster.local: 100.2ms since last change, 100.2ms since last push, forced=false
//   2026-11-21T05:46:20.275502Z	info	model	Incremental push, service flapper.noisy.svc.cluster.local at shard Kubernetes/Kubernetes has no endpoints
//   2026-11-21T05:46:20.275502Z	info	delta	CDS: PUSH for node:cart-7d9f5b6c4d-1.shop resources:12 removed:0 size:8.1kB cached:6/6
//   {"level":"info","time":"...","scope":"ads","msg":"Push debounce stable[2555] 1193 for config ... and 182 more configs: ..., full=true"}
//   {"severity":"info","timestamp":"...","logger":"ads","message":"..."}         for Stackdriver
// "since last push" is really since the first event of the batch.
// A message in text is written as it is, with line feeds in it, so that a line may be of somebody else's making: only one that begins as istiod begins
// them is taken for an entry. In JSON a line feed cannot stand for itself.
import { fieldsOf, type Raw, textOf } from './raw.js'
import { loggedTypeOf } from './xds-types.js'

/** As istiod names a resource. A Kubernetes Service is a ServiceEntry by the name of its host, or Endpoints where only those changed (1.31). */
export interface ConfigKey {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Many events became one push. */
export interface Debounce {
  readonly kind: 'debounce'
  readonly events: number
  /** One of those that changed, at random; undefined where the line has none. */
  readonly config: ConfigKey | undefined
  /** `full` and `incremental` to 1.30, then `forced` and `unforced`. */
  readonly push: 'full' | 'incremental' | 'forced' | 'unforced'
}

/** One event, before it is merged with others: only where the scope `fullpush` (1.24 to 1.30) or `push` (1.31) is at debug. */
export interface Trigger {
  readonly kind: 'trigger'
  /** All of them. */
  readonly configs: readonly ConfigKey[]
}

/** What endpoints of one Service did to it. */
export interface EndpointChange {
  readonly kind: 'endpoints'
  readonly reason: 'no_endpoints' | 'new_service' | 'service_accounts'
  /** `none`: no push of its own, as that of its Service comes (1.25). */
  readonly push: 'full' | 'incremental' | 'none'
  /** Undefined where neither the line nor the host says it. */
  readonly namespace: string | undefined
  readonly host: string
}

/** What one proxy was sent of one type. */
export interface Sent {
  readonly kind: 'sent'
  /** As its metrics have it: `cds`. Undefined where istiod has no short name. */
  readonly xds: string | undefined
  readonly namespace: string | undefined
  /** As istiod rounds them: from 1,000 on to one decimal of kB, MB or GB. */
  readonly bytes: number
}

export type Line = Debounce | Trigger | EndpointChange | Sent

/** What a line has that can be understood: so that others need not be looked into. */
export const TELLING: readonly string[] = ['Push debounce stable[', 'push triggered configs=[', 'l push, ', 'Cache Update, ']
/** And one that says what was sent: one for each proxy and type, where of the others there are a few for each push. */
export const SENDING = 'PUSH'

interface Entry {
  readonly scope: string
  readonly message: string
}

const DEBOUNCE =
  /^Push debounce stable\[\d+\] (\d{1,15})(?: for (config|reason) (.+?))?: \S+ since last change, \S+ since last push, (full|forced)=(true|false)$/
const MORE = / and \d+ more configs$/
const KEY = /^([^/]+)\/([^/]*)\/(.+)$/
const TRIGGER = /^(?:full )?push triggered configs=\[(.*)\] reasons=\[.*\]$/
const NO_ENDPOINTS = /^(Incremental push|Cache Update), [sS]ervice (\S+)(?: at shard \S+)? has no endpoints$/
const NEW_SERVICE = /^(Full push|Cache Update), new service ([^/\s]+)\/(\S+)$/
const ACCOUNTS = /^(Full push|Cache Update), service accounts changed, (\S+)$/
const PUSHES: Readonly<Record<string, EndpointChange['push']>> = { 'Full push': 'full', 'Incremental push': 'incremental' }
const OF_CLUSTER = /^[^.]+\.([^.]+)\.svc\./
const SENT = /^(\S+): PUSH(?: INC)?(?: request)? for node:(\S+) resources:\d+(?: removed:\d+)? size:(\d{1,15}(?:\.\d)?)([kMGTPE]?)B(?: |$)/
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 }
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const ENTRY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\t(?:info|debug|warn|error|fatal)\t([^\t]*)\t(?:\S+\.go:\d+\t)?([^\t]*)/
const MAX_NAME = 512
const NO_ENTRY: Entry = { scope: '', message: '' }

/** Undefined where it is none of these lines, or cut off. */
export function parseIstiodLine(line: string): Line | undefined {
  const { scope, message } = (line.startsWith('{') ? jsonEntryOf(line) : textEntryOf(line)) ?? NO_ENTRY
  if (scope === 'ads') return debounceOf(message) ?? endpointsOf(message) ?? sentOf(message)
  if (scope === 'delta') return sentOf(message)
  if (scope === 'model') return endpointsOf(message)
  return scope === 'fullpush' || scope === 'push' ? triggerOf(message) : undefined
}

/** Of the scope `default` the column is absent. Where --log_caller asks for it there is a caller. */
function textEntryOf(line: string): Entry | undefined {
  const [, scope, message] = ENTRY.exec(line) ?? []
  return scope === undefined || message === undefined ? undefined : { scope, message }
}

function jsonEntryOf(line: string): Entry {
  const { scope, logger, msg, message } = parseJson(line)
  return { scope: textOf(scope ?? logger), message: textOf(msg ?? message) }
}

function parseJson(text: string): Raw {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    // Cut off: as good as a line of something else.
    return {}
  }
}

function debounceOf(message: string): Debounce | undefined {
  const [found, events, by, what = '', word, is] = DEBOUNCE.exec(message) ?? []
  if (found === undefined) return undefined
  const [yes, no] = word === 'full' ? (['full', 'incremental'] as const) : (['forced', 'unforced'] as const)
  const config = by === 'config' ? configOf(what.replace(MORE, '')) : undefined
  return { kind: 'debounce', events: Number(events), config, push: is === 'true' ? yes : no }
}

function triggerOf(message: string): Trigger | undefined {
  const [, configs] = TRIGGER.exec(message) ?? []
  return configs === undefined ? undefined : { kind: 'trigger', configs: configs.split(' ').flatMap((key) => configOf(key) ?? []) }
}

function configOf(key: string): ConfigKey | undefined {
  const [, kind, namespace, name] = KEY.exec(key) ?? []
  if (kind === undefined || namespace === undefined || name === undefined || key.length > MAX_NAME) return undefined
  return { kind, namespace, name }
}

function endpointsOf(message: string): EndpointChange | undefined {
  const [none, noneBy = '', empty = ''] = NO_ENDPOINTS.exec(message) ?? []
  if (none !== undefined) return changeOf('no_endpoints', noneBy, { host: empty })
  const [created, createdBy = '', namespace = '', host = ''] = NEW_SERVICE.exec(message) ?? []
  if (created !== undefined) return changeOf('new_service', createdBy, { host, namespace })
  const [changed, changedBy = '', of = ''] = ACCOUNTS.exec(message) ?? []
  return changed === undefined ? undefined : changeOf('service_accounts', changedBy, { host: of })
}

/** Only the host of a Kubernetes Service says its namespace. */
function changeOf(
  reason: EndpointChange['reason'],
  by: string,
  { host, namespace = OF_CLUSTER.exec(host)?.[1] }: { readonly host: string; readonly namespace?: string },
): EndpointChange | undefined {
  return host.length > MAX_NAME
    ? undefined
    : { kind: 'endpoints', reason, push: PUSHES[by] ?? 'none', namespace: namespaceOf(namespace), host }
}

/** A node is a pod's name, a dot and its namespace. There may be thousands of these lines in a second. */
function sentOf(message: string): Sent | undefined {
  const found = SENT.exec(message)
  if (!found) return undefined
  const [, type = '', node = '', size, unit = ''] = found
  const bytes = Math.round(Number(size) * (UNITS[unit] ?? 1))
  if (bytes > Number.MAX_SAFE_INTEGER) return undefined
  return { kind: 'sent', xds: loggedTypeOf(type), namespace: namespaceOf(node.slice(node.lastIndexOf('.') + 1)), bytes }
}

const namespaceOf = (text = ''): string | undefined => (NAMESPACE.test(text) ? text : undefined)
