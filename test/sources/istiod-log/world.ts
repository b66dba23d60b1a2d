// A node with logs of istiod.
import type { Test } from 'tap'
import { growingFiles } from '../../../src/growing-files.js'
import type { LogTarget } from '../../../src/sources/container-logs/following.js'
import { createIstiodLog } from '../../../src/sources/istiod-log/source.js'
import { createLogWorld, sumOf } from '../container-logs/world.js'

const OWNER = { owner_zone: 'us-east-1a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }

export const target = (name: string, place: LogTarget['place']): LogTarget => ({ name, place, labels: OWNER })

export function createWorld(t: Test, logs: () => Iterable<LogTarget>, files = growingFiles) {
  const world = createLogWorld(t, (deps) => createIstiodLog({ logs }, deps), files)
  const { seriesOf } = world
  return {
    ...world,
    get nowMs() {
      return world.nowMs
    },
    get openFiles() {
      return world.openFiles
    },
    /** `causes`: by kind, name and how it was pushed; `changes` and `sent`: by their labels. */
    served(): {
      readonly causes: Readonly<Record<string, number>>
      readonly lines: number
      readonly events: number
      readonly sampledOut: number
      readonly changes: Readonly<Record<string, number>>
      readonly sent: Readonly<Record<string, number>>
    } {
      const causes = seriesOf('meshtoll_pilot_push_causes_total').map(({ labels, value }) => [
        `${labels.config_kind}/${labels.config_name} ${labels.push}`,
        value,
      ])
      const byLabels = (name: string) =>
        Object.fromEntries(seriesOf(name).map(({ labels, value }) => [Object.values(labels).join('/'), value]))
      return {
        changes: byLabels('meshtoll_pilot_endpoint_changes_total'),
        sent: byLabels('meshtoll_pilot_xds_sent_bytes_total'),
        causes: Object.fromEntries(causes),
        lines: sumOf(seriesOf('meshtoll_pilot_log_lines_total')),
        events: sumOf(seriesOf('meshtoll_pilot_push_events_total')),
        sampledOut: sumOf(seriesOf('meshtoll_pilot_log_sampled_out_total')),
      }
    },
  }
}
