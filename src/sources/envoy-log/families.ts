import type { Family, Labels, Peer } from '../../model.js'
import { OWNER_LABELS } from '../source.js'

/** Who was called, as `failedUpstream` has it. */
export const CALLED: Peer['says'] = { dst_namespace: 'namespace', dst_owner_kind: 'kind', dst_owner_name: 'name', ended: 'ended' }

/** Where there was no host to call. */
export const NOBODY_CALLED: Labels = Object.freeze(Object.fromEntries(Object.keys(CALLED).map((label) => [label, ''])))

export const failedUpstream: Family = {
  ...counter(
    'meshtoll_proxy_failed_upstream_requests_total',
    'Requests and connections that failed at the address that the proxy of the caller called (UC, UF, UH, UR, URX, UT), as its access log says: by the owner of the pod that had it then, and whether that had ended; empty where no address was called.',
    ['response_flags', ...Object.keys(CALLED)],
  ),
  limit: 1_000,
}
export const logLines = counter('meshtoll_proxy_log_lines_total', 'Lines that were read of the logs of proxies.')
export const sampledOut = counter(
  'meshtoll_proxy_log_sampled_out_total',
  'Lines of the logs of proxies that tell of failed requests and were only counted, because there were too many.',
)

export const families: readonly Family[] = [failedUpstream, logLines, sampledOut]

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  return { name, kind: 'counter', labels: [...OWNER_LABELS, ...labels], help }
}
