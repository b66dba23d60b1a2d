// istiod and the proxies.
import { CROSSING, except, type Query } from '../queries.js'
import { group, row, timeseries, toplist } from '../widgets.js'
import {
  a,
  CAUSE,
  CLUSTER,
  type DashboardSource,
  DST,
  everywhere,
  flows,
  HOST,
  ISTIOD,
  inCluster,
  max,
  moved,
  OWNER,
  onHost,
  sum,
} from './parts.js'

const pilot = [inCluster, onHost]
const p = (family: string, part: 'p50' | 'p99'): Query => max(family, { part, where: pilot })

export const CONTROL_PLANE: DashboardSource = {
  name: 'ControlPlane',
  title: 'control plane',
  says: 'What istiod pushes and why, how late proxies hear of it, and what it takes.',
  variables: [CLUSTER, HOST],
  groups: [
    group(
      'Pushes',
      row(
        4,
        timeseries(
          {
            title: 'Responses to proxies by kind',
            queries: { a: sum('pilot_xds_pushes_total', { where: pilot, by: ['xds'], as: 'rate' }) },
            formulas: a(),
          },
          'bars',
        ),
        timeseries(
          {
            title: 'Pushes, full or not',
            queries: { a: sum('pilot_push_causes_total', { where: pilot, by: ['push'], as: 'count' }) },
            formulas: a(),
          },
          'bars',
        ),
      ),
      row(
        5,
        toplist({
          title: 'Resources that cause pushes to all proxies',
          queries: {
            a: sum('pilot_push_causes_total', { where: [...pilot, except('push', 'incremental')], by: CAUSE, as: 'count' }),
          },
          formulas: a(),
        }),
        toplist({
          title: 'Services whose endpoints change, as istiod says',
          queries: {
            a: sum('pilot_endpoint_changes_total', { where: pilot, by: ['config_namespace', 'config_name', 'reason'], as: 'count' }),
          },
          formulas: a(),
        }),
      ),
    ),
    group(
      'Convergence',
      row(
        4,
        timeseries({
          title: 'From an event to the proxy, at most',
          queries: {
            a: p('pilot_debounce_seconds', 'p50'),
            b: p('pilot_proxy_convergence_seconds', 'p50'),
            c: p('pilot_debounce_seconds', 'p99'),
            d: p('pilot_proxy_convergence_seconds', 'p99'),
          },
          formulas: [
            { formula: 'a + b', alias: 'p50' },
            { formula: 'c + d', alias: 'p99' },
          ],
          unit: 'second',
        }),
        timeseries({
          title: 'Of that, p99',
          queries: {
            a: p('pilot_debounce_seconds', 'p99'),
            b: p('pilot_push_context_seconds', 'p99'),
            c: p('pilot_proxy_queue_seconds', 'p99'),
            d: p('pilot_proxy_convergence_seconds', 'p99'),
          },
          formulas: [
            { formula: 'a', alias: 'debounce' },
            { formula: 'b', alias: 'push context, in it' },
            { formula: 'd', alias: 'push' },
            { formula: 'c', alias: 'queue, in it' },
          ],
          unit: 'second',
        }),
      ),
    ),
    group(
      'What it sends',
      row(
        4,
        timeseries(
          {
            title: 'Configuration made, by kind',
            queries: { a: sum('pilot_xds_config_bytes_total', { where: pilot, by: ['xds'], as: 'rate' }) },
            formulas: a(),
            unit: 'byte per second',
          },
          'area',
        ),
        timeseries(
          {
            title: 'What istiod sends, by scope',
            queries: { a: flows([...everywhere, ...ISTIOD], ['scope']) },
            formulas: a(),
            unit: 'byte per second',
          },
          'area',
        ),
      ),
      row(
        5,
        toplist({
          title: 'Owners whose proxies receive most configuration',
          queries: { a: sum('proxy_xds_receive_bytes_total', { where: everywhere, by: OWNER, as: 'count' }) },
          formulas: a(),
          unit: 'byte',
        }),
        toplist({
          title: 'Owners that istiod sends most to across zones or regions',
          queries: { a: moved([...everywhere, ...ISTIOD, CROSSING], DST) },
          formulas: a(),
          unit: 'byte',
        }),
      ),
    ),
    group(
      'Proxies',
      row(
        4,
        timeseries({
          title: 'Connected, by release',
          queries: { a: sum('pilot_proxies', { where: pilot, by: ['version'] }) },
          formulas: a(),
        }),
        timeseries(
          {
            title: 'Updates that were rejected',
            queries: {
              a: sum('proxy_config_rejected_total', { where: everywhere, by: ['xds'], as: 'count' }),
              b: sum('pilot_xds_rejects_total', { where: pilot, by: ['xds'], as: 'count' }),
            },
            formulas: [
              { formula: 'a', alias: 'say proxies' },
              { formula: 'b', alias: 'says istiod' },
            ],
          },
          'bars',
        ),
        timeseries(
          {
            title: 'Connections to istiod that failed',
            queries: { a: sum('proxy_istiod_connection_failures_total', { where: everywhere, by: OWNER, as: 'count' }) },
            formulas: a(),
          },
          'bars',
        ),
      ),
    ),
  ],
}
