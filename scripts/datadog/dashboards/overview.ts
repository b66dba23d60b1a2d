// What crosses zones, who sends it, and what it costs.
import { among, CROSSING } from '../queries.js'
import { group, note, row, timeseries, toplist, value } from '../widgets.js'
import {
  a,
  CLUSTER,
  type DashboardSource,
  DOLLARS,
  DST,
  everywhere,
  fromNamespace,
  HOST,
  ISTIOD,
  max,
  moved,
  NAMESPACE,
  priced,
  SRC,
  sum,
  zones,
} from './parts.js'

const DOLLARS_SAY =
  'Dollars are bytes by the price in `price` of the agents. They are counted as IP packets before segmentation; headers of segments come on top, some per cent. `_other` are owners that are folded to keep to `datadog.maxSeries`.'

export const OVERVIEW: DashboardSource = {
  name: 'Overview',
  says: 'What crosses zones, who sends it to whom, and what it costs.',
  variables: [CLUSTER, NAMESPACE, HOST],
  groups: [
    group(
      'At a glance',
      row(
        2,
        value({ title: 'Across zones or regions', queries: { a: zones([CROSSING]) }, formulas: a(), unit: 'byte per second' }),
        value({ title: 'Cost in this time', queries: priced(fromNamespace), formulas: [{ formula: DOLLARS }], unit: 'dollar' }),
        value({
          title: 'Share of istiod in it',
          queries: {
            a: moved([...everywhere, ...ISTIOD, CROSSING]),
            b: sum('zone_bytes_total', { where: [...everywhere, CROSSING], as: 'count' }),
          },
          formulas: [{ formula: '100 * default_zero(a) / b' }],
          unit: 'percent',
        }),
        value({ title: 'Agents', queries: { a: sum('build_info', { where: everywhere }) }, formulas: a() }, 0),
      ),
      row(1, note(DOLLARS_SAY)),
    ),
    group(
      'Zones',
      row(
        4,
        timeseries({ title: 'Bytes by scope', queries: { a: zones([], ['scope']) }, formulas: a(), unit: 'byte per second' }, 'area'),
        timeseries(
          {
            title: 'By pair of zones',
            queries: { a: zones([CROSSING], ['src_zone', 'dst_zone']) },
            formulas: a(),
            unit: 'byte per second',
          },
          'area',
        ),
      ),
      row(
        4,
        timeseries({
          title: 'Across zones or regions, and a week ago',
          queries: { a: zones([CROSSING]) },
          formulas: [
            { formula: 'a', alias: 'now' },
            { formula: 'week_before(a)', alias: 'a week ago' },
          ],
          unit: 'byte per second',
        }),
        timeseries(
          { title: 'Cost', queries: priced(fromNamespace), formulas: [{ formula: DOLLARS, alias: 'dollars' }], unit: 'dollar' },
          'bars',
        ),
      ),
    ),
    group(
      'Owners',
      row(
        5,
        toplist({
          title: 'Pairs of owners that send most across zones or regions',
          queries: { a: moved([...fromNamespace, CROSSING], [...SRC, ...DST]) },
          formulas: a(),
          unit: 'byte',
        }),
        toplist({
          title: 'What the traffic of a namespace cost',
          queries: priced(fromNamespace, ['src_namespace']),
          formulas: [{ formula: DOLLARS }],
          unit: 'dollar',
        }),
      ),
      row(
        5,
        toplist({
          title: 'To the outside of the cluster',
          queries: { a: moved([...fromNamespace, among('scope', 'to_external')], [...SRC, 'dst_owner_name']) },
          formulas: a(),
          unit: 'byte',
        }),
        toplist({
          title: 'To pods that had ended',
          queries: { a: sum('phantom_bytes_total', { where: fromNamespace, by: [...SRC, ...DST], as: 'count' }) },
          formulas: a(),
          unit: 'byte',
        }),
      ),
    ),
    group(
      'Whether it can be believed',
      row(
        4,
        timeseries({
          title: 'Seen for each byte that the uplinks sent, at worst',
          queries: { a: { of: 'min', family: 'meshtoll_flow_coverage_ratio', where: everywhere } },
          formulas: a('coverage'),
        }),
        timeseries(
          {
            title: 'Not counted, or counts lost',
            queries: { a: sum('flow_gap_seconds_total', { where: everywhere, by: ['host'], as: 'count' }) },
            formulas: a(),
            unit: 'second',
          },
          'bars',
        ),
        timeseries({
          title: 'Age of what waits for Datadog',
          queries: { a: max('datadog_behind_seconds', { where: everywhere, by: ['host'] }) },
          formulas: a(),
          unit: 'second',
        }),
      ),
    ),
  ],
}
