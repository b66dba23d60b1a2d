// What of a log's lines is counted: each push under one of the resources that caused it.
import { type ConfigKey, type Debounce, parseIstiodLine, type Trigger } from '../../formats/istiod-log.js'
import type { EventReading, Labels } from '../../model.js'
import { pushCauses } from './families.js'

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

const UNKNOWN: ConfigKey = { kind: '_unknown', namespace: '_unknown', name: '_unknown' }
/** Of one push: more triggers than this are not told apart. */
const MAX_TRIGGERS = 10_000

export function createCauses(): Causes {
  let counts = new Map<string, { readonly labels: Labels; count: number }>()
  let rejected = 0

  function add({ kind, namespace, name }: ConfigKey, push: Debounce['push']): void {
    const key = JSON.stringify([kind, namespace, name, push])
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { labels: Object.freeze({ config_kind: kind, config_namespace: namespace, config_name: name, push }), count: 1 })
  }

  return {
    ofLog(onEvents) {
      let triggers: Trigger[] = []
      return {
        line(text) {
          const found = parseIstiodLine(text)
          if (!found) rejected++
          else if (found.kind === 'trigger') {
            if (triggers.length < MAX_TRIGGERS) triggers.push(found)
          } else {
            onEvents(found.events)
            add(causeOf(found, triggers) ?? UNKNOWN, found.push)
            triggers = []
          }
        },
      }
    },
    take() {
      const events = [...counts.values()].map(({ labels, count }): EventReading => ({ kind: 'event', family: pushCauses, labels, count }))
      const taken = { events, rejected }
      counts = new Map()
      rejected = 0
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
