// What an Envoy 1.40 says at /clusters?format=json, with all that it says of a host.
const STATS = ['cx_connect_fail', 'cx_total', 'rq_error', 'rq_success', 'rq_timeout', 'rq_total'].map((name) => ({ name }))
const GAUGES = ['cx_active', 'rq_active', 'rq_pending_active'].map((name) => ({ type: 'GAUGE', name }))
const THRESHOLDS = [{ max_connections: 1024, max_pending_requests: 1024, max_requests: 1024, max_retries: 3 }]

export const host = (address: string): object => ({
  address: { socket_address: { address, port_value: 80 } },
  stats: [...STATS, ...GAUGES],
  health_status: { eds_health_status: 'HEALTHY' },
  weight: 1,
  locality: { region: 'r', zone: 'a' },
})

/** Hosts by the names of their clusters. */
export function clustersOf(clusters: Readonly<Record<string, readonly object[]>>): string {
  const statuses = Object.entries(clusters).map(([name, hosts]) => ({
    name,
    added_via_api: true,
    ...(hosts.length > 0 ? { host_statuses: hosts } : {}),
    circuit_breakers: { thresholds: THRESHOLDS },
    observability_name: name,
  }))
  return JSON.stringify({ cluster_statuses: statuses }, undefined, 1)
}
