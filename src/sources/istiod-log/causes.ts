// What of a log's lines is counted: each push under one of the resources that caused it, what endpoints did, and what was sent to whom.
import { type ConfigKey, type Debounce, type EndpointChange, parseIstiodLine, type Sent, type Trigger } from '../../formats/istiod-log.js'
import type { EventReading, Family, Labels } from '../../model.js'
import { endpointChanges, pushCauses, sentBytes } from './families.js'

/** One log. */
export interface CauseReader {
  line(text: string): void
}

/** All logs of this node. */
export interface Causes {
  /** `onEvents`: how many events became one push, which is of this log. */
  ofLog(onEvents: (events: number) => void): CauseReader
  /** What was counted since the last call. */
  take(): { readonly events: readonly EventReading[]; readonly rejected: number }
}

const NOBODY = '_unknown'
const UNKNOWN: ConfigKey = { kind: NOBODY, namespace: NOBODY, name: NOBODY }
/** Of one push: more triggers than this are not told apart. */
const MAX_TRIGGERS = 10_000
/** Of types and namespaces in one read; what is sent to further ones is added up as one. */
const MAX_SENT = 5_000
const OTHER = '_other'

interface Count {
  readonly family: Family
  readonly labels: Labels
  count: number
}

export function createCauses(): Causes {
  let counts = new Map<string, Count>()
  /** By type and namespace: of what was sent there may be thousands of lines in a second, which name few of them. */
  let sent = new Map<string, Map<string, Count>>()
  let sentTo = 0
  let rejected = 0

  /** `key`: of all that is in the labels. */
  function add(
    family: Family,
    { key, count, labelsOf }: { readonly key: string; readonly count: number; readonly labelsOf: () => Labels },
  ): void {
    const known = counts.get(key)
    if (known) known.count += count
    else counts.set(key, { family, labels: Object.freeze(labelsOf()), count })
  }

  function addPush({ kind, namespace, name }: ConfigKey, push: Debounce['push']): void {
    const labelsOf = () => ({ config_kind: kind, config_namespace: namespace, config_name: name, push })
    add(pushCauses, { key: JSON.stringify([kind, namespace, name, push]), count: 1, labelsOf })
  }

  function addChange({ reason, push, namespace = NOBODY, host }: EndpointChange): void {
    const labelsOf = () => ({ config_namespace: namespace, config_name: host, reason, push })
    add(endpointChanges, { key: JSON.stringify([namespace, host, reason, push, '']), count: 1, labelsOf })
  }

  /** One for each proxy. */
  function addSent({ xds = NOBODY, namespace = NOBODY, bytes }: Sent): void {
    const ofType = sent.get(xds) ?? new Map<string, Count>()
    const known = ofType.get(namespace)
    if (known && known.count + bytes > Number.MAX_SAFE_INTEGER) rejected++
    else if (known) known.count += bytes
    if (known) return
    const of = sentTo++ < MAX_SENT ? namespace : OTHER
    const count = (ofType.get(of)?.count ?? 0) + bytes
    sent.set(xds, ofType.set(of, { family: sentBytes, labels: Object.freeze({ xds, proxy_namespace: of }), count }))
  }

  return {
    ofLog(onEvents) {
      let triggers: Trigger[] = []

      function debounce(found: Debounce): void {
        onEvents(found.events)
        addPush(causeOf(found, triggers) ?? UNKNOWN, found.push)
        triggers = []
      }

      return {
        line(text) {
          const found = parseIstiodLine(text)
          if (!found) rejected++
          else if (found.kind === 'sent') addSent(found)
          else if (found.kind === 'endpoints') addChange(found)
          else if (found.kind === 'debounce') debounce(found)
          else if (triggers.length < MAX_TRIGGERS) triggers.push(found)
        },
      }
    },
    take() {
      const all = [...counts.values(), ...[...sent.values()].flatMap((ofType) => [...ofType.values()])]
      const events = all.map(({ family, labels, count }): EventReading => ({ kind: 'event', family, labels, count }))
      const taken = { events, rejected }
      counts = new Map()
      rejected = 0
      sent = new Map()
      sentTo = 0
      return taken
    },
  }
}

/**
 * The name that the line prints is one of many, at random. Where each of its events has a line of its own (endpoints never have), it is the one
 * that most of them name.
 */
function causeOf({ config, events }: Debounce, triggers: readonly Trigger[]): ConfigKey | undefined {
  if (triggers.length !== events) return config
  const counts = new Map<string, { readonly config: ConfigKey; count: number }>()
  for (const one of triggers.flatMap(({ configs }) => configs)) {
    const key = JSON.stringify(one)
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { config: one, count: 1 })
  }
  return (
    [...counts.values()].reduce((most, one) => (one.count > (most?.count ?? 0) ? one : most), undefined as Counted | undefined)?.config ??
    config
  )
}

interface Counted {
  readonly config: ConfigKey
  readonly count: number
}
