// One monitor, as POST /api/v1/monitor takes it (docs.datadoghq.com/api/latest/monitors).
import { readRuleSettings } from '../rules.js'
import { type MonitorName, THRESHOLDS, type Threshold } from './thresholds.js'

export interface MonitorSource {
  readonly name: MonitorName
  readonly title: string
  /** `sum(last_10m)`, `change(avg(last_1h),last_1d)`. */
  readonly over: string
  readonly query: string
  readonly by: readonly string[]
  readonly below?: boolean
  readonly says: string
  /** Of docs/runbooks, where it is not that of the name. */
  readonly runbook?: string
  /** 1 is the most urgent. */
  readonly priority: 2 | 3 | 4
  /** Minutes without data after which it alerts. Absent: it never does. */
  readonly silentAfter?: number
}

/** Data is sent every 30 s, and arrives some seconds later. */
const LATE_S = 60
const MINUTE_S = 60

export function monitorOf(source: MonitorSource): Readonly<Record<string, unknown>> {
  const { name, title, over, query, by, below = false, priority, silentAfter } = source
  const thresholds: Threshold = THRESHOLDS[name]
  return {
    type: 'query alert',
    name: `[meshtoll] ${title}`,
    query: `${over}:${query} ${below ? '<' : '>'} ${thresholds.critical}`,
    message: messageOf(source, thresholds),
    tags: ['managed_by:meshtoll', `meshtoll_id:${idOf(name)}`],
    priority,
    options: {
      thresholds,
      notify_no_data: silentAfter !== undefined,
      ...(silentAfter === undefined ? {} : { no_data_timeframe: silentAfter }),
      // Series come and go: what is not there any more is not wrong any more.
      require_full_window: false,
      timeout_h: 1,
      evaluation_delay: LATE_S,
      // Refused where there is no group.
      ...(by.length === 0 ? {} : { new_group_delay: newGroupSecondsOf(over) }),
      include_tags: true,
      notify_audit: false,
      renotify_interval: 0,
    },
  }
}

/**
 * How long has to be bad what is bad all the time: of a new group, such as a node that just came, no more is there than began a moment ago. A sum is
 * as it is at once, and would be over by then.
 */
function newGroupSecondsOf(over: string): number {
  const [, minutes] = /^(?:min|max|avg)\(last_(\d+)m\)$/.exec(over) ?? []
  return minutes === undefined ? MINUTE_S : Number(minutes) * MINUTE_S
}

/** `CrossZoneBytesHigh` is `cross-zone-bytes-high`: tags are lower case. */
export const idOf = (name: string): string => name.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase()

function messageOf({ name, says, runbook = name }: MonitorSource, { warning }: Threshold): string {
  const limit =
    warning === undefined
      ? 'The limit is {{threshold}}.'
      : '{{#is_warning}}It warns from {{warn_threshold}}.{{/is_warning}}{{^is_warning}}The limit is {{threshold}}.{{/is_warning}}'
  return `${says}\n${limit}\n\nRunbook: ${readRuleSettings().runbookUrl}/${runbook}.md`
}

/** Of a template variable, such as `cart` of `src_owner_name:cart`. */
export const nameOf = (tag: string): string => `{{${tag}.name}}`
export const ownerOf = (prefix: 'src_' | 'dst_' | 'owner_'): string => {
  const ofName = prefix === 'owner_' ? 'owner_name' : `${prefix}owner_name`
  return `${nameOf(`${prefix}namespace`)}/${nameOf(ofName)}`
}
