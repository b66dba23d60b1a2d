// Lines of istiod's log that tell why it pushes (istio.io: pilot/pkg/xds/discovery.go), of 1.10 to 1.32.
//   2026-11-21T05:46:20.275502Z	info	ads	Push debounce stable[2] 1 for config Endpoints/noisy/flapper.noisy.svc.cluster.local: 100.2ms since last change, 100.2ms since last push, forced=false
//   {"level":"info","time":"...","scope":"ads","msg":"Push debounce stable[2555] 1193 for config ... and 182 more configs: ..., full=true"}
//   {"severity":"info","timestamp":"...","logger":"ads","message":"..."}         for Stackdriver
// "since last push" is really since the first event of the batch.
import { fieldsOf, type Raw, textOf } from './raw.js'

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

/** What a line has that can be understood: so that others need not be looked into. */
export const TELLING: readonly string[] = ['Push debounce stable[', 'push triggered configs=[']

interface Entry {
  readonly scope: string
  readonly message: string
}

const DEBOUNCE =
  /^Push debounce stable\[\d+\] (\d{1,15})(?: for (config|reason) (.+?))?: \S+ since last change, \S+ since last push, (full|forced)=(true|false)$/
const MORE = / and \d+ more configs$/
const KEY = /^([^/]+)\/([^/]*)\/(.+)$/
const TRIGGER = /^(?:full )?push triggered configs=\[(.*)\] reasons=\[.*\]$/
const TIME = /^\d{4}-\d\d-\d\dT/
/** Written where --log_caller asks for it. */
const CALLER = /^\S+\.go:\d+$/
const MAX_NAME = 512

/** Undefined where it is none of these lines, or cut off. */
export function parseIstiodLine(line: string): Debounce | Trigger | undefined {
  const entry = line.startsWith('{') ? jsonEntryOf(line) : textEntryOf(line)
  if (entry?.scope === 'ads') return debounceOf(entry.message)
  if (entry?.scope === 'fullpush' || entry?.scope === 'push') return triggerOf(entry.message)
  return undefined
}

/** Of the scope `default` the column is absent. */
function textEntryOf(line: string): Entry | undefined {
  const [time = '', , scope = '', message = '', next = ''] = line.split('\t', 5)
  return TIME.test(time) ? { scope, message: CALLER.test(message) ? next : message } : undefined
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
