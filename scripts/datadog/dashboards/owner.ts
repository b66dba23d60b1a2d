// One owner.
import { among, CROSSING, variable } from '../queries.js'
import { group, row, timeseries, toplist } from '../widgets.js'
import {
  a,
  CLUSTER,
  type DashboardSource,
  DOLLARS,
  DST,
  flows,
  inCluster,
  inNamespace,
  moved,
  NAMESPACE,
  priced,
  SRC,
  sum,
  type Variable,
} from './parts.js'

/** `src_owner_name`: the flows of others to it, and its proxies, are found by the value alone. */
const NAME: Variable = { name: 'owner', prefix: 'src_owner_name' }
const out = [inCluster, inNamespace, variable(NAME.name)]
const into = [inCluster, among('dst_namespace', '$kube_namespace.value'), among('dst_owner_name', '$owner.value')]
const its = [inCluster, inNamespace, among('owner_name', '$owner.value')]

export const OWNER_DASHBOARD: DashboardSource = {
  name: 'Owner',
  says: 'One owner: what it sends and is sent, what that costs, and what its proxies take.',
  variables: [CLUSTER, NAMESPACE, NAME],
  groups: [
    group(
      'Out',
      row(
        4,
        timeseries({ title: 'Sent, by scope', queries: { a: flows(out, ['scope']) }, formulas: a(), unit: 'byte per second' }, 'area'),
        timeseries(
          { title: 'Cost of it', queries: priced(out), formulas: [{ formula: DOLLARS, alias: 'dollars' }], unit: 'dollar' },
          'bars',
        ),
      ),
      row(
        5,
        toplist({ title: 'To whom', queries: { a: moved(out, DST) }, formulas: a(), unit: 'byte' }),
        toplist({
          title: 'To whom across zones or regions',
          queries: { a: moved([...out, CROSSING], [...DST, 'src_zone', 'dst_zone']) },
          formulas: a(),
          unit: 'byte',
        }),
      ),
    ),
    group(
      'In',
      row(
        4,
        timeseries({ title: 'Received, by scope', queries: { a: flows(into, ['scope']) }, formulas: a(), unit: 'byte per second' }, 'area'),
        timeseries(
          {
            title: 'Sent to its pods after they had ended',
            queries: { a: sum('phantom_bytes_total', { where: into, by: SRC, as: 'count' }) },
            formulas: a(),
            unit: 'byte',
          },
          'bars',
        ),
      ),
      row(
        5,
        toplist({ title: 'From whom', queries: { a: moved(into, SRC) }, formulas: a(), unit: 'byte' }),
        toplist({
          title: 'From whom across zones or regions',
          queries: { a: moved([...into, CROSSING], [...SRC, 'src_zone', 'dst_zone']) },
          formulas: a(),
          unit: 'byte',
        }),
      ),
    ),
    group(
      'Its proxies',
      row(
        4,
        timeseries({
          title: 'CPU',
          queries: {
            a: sum('proxy_cpu_seconds_total', { where: its, as: 'rate' }),
            b: sum('proxy_cpu_request_cores', { where: its }),
          },
          formulas: [
            { formula: 'a', alias: 'used, in cores' },
            { formula: 'b', alias: 'reserved' },
          ],
        }),
        timeseries({
          title: 'Memory',
          queries: {
            a: sum('proxy_memory_working_set_bytes', { where: its }),
            b: sum('proxy_memory_request_bytes', { where: its }),
          },
          formulas: [
            { formula: 'a', alias: 'used' },
            { formula: 'b', alias: 'reserved' },
          ],
          unit: 'byte',
        }),
        timeseries(
          {
            title: 'Configuration received',
            queries: { a: sum('proxy_xds_receive_bytes_total', { where: its, as: 'rate' }) },
            formulas: a('xDS'),
            unit: 'byte per second',
          },
          'area',
        ),
      ),
      row(
        4,
        timeseries(
          {
            title: 'Requests that failed, by flags',
            queries: { a: sum('proxy_failed_requests_total', { where: its, by: ['response_flags'], as: 'count' }) },
            formulas: a(),
          },
          'bars',
        ),
        toplist({
          title: 'Requests that failed, by service',
          queries: {
            a: sum('proxy_failed_requests_total', {
              where: its,
              by: ['dst_service_namespace', 'dst_service_name', 'response_code'],
              as: 'count',
            }),
          },
          formulas: a(),
        }),
      ),
    ),
  ],
}
