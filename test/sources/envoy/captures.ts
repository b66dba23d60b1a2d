// What three real proxies said (test/fixtures/istio), phase by phase.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const PHASES = [
  '0-idle-start',
  '1-idle-end',
  '2-endpoint-churn',
  '3-service-label-churn',
  '4-exportto-set',
  '5-endpoint-churn-after-exportto',
] as const

export const captureOf = (pod: 'cart' | 'checkout' | 'flapper', phase: number): string =>
  readFileSync(join(import.meta.dirname, `../../fixtures/istio/envoy-${pod}.${PHASES[phase]}.prom`), 'utf8')

/** An `istio_requests_total` line with the labels that Istio's own filter has, in their order (istio/proxy: testdata/metric/client_request_total). */
export function requestsLine(count: number | string, labels: Readonly<Record<string, string>> = {}): string {
  const all = {
    reporter: 'source',
    source_workload: 'cart',
    source_canonical_service: 'cart',
    source_canonical_revision: 'latest',
    source_cluster: 'Kubernetes',
    source_workload_namespace: 'shop',
    source_principal: 'unknown',
    source_app: 'cart',
    source_version: 'v1',
    destination_workload: 'unknown',
    destination_workload_namespace: 'unknown',
    destination_principal: 'unknown',
    destination_app: 'unknown',
    destination_version: 'unknown',
    destination_service: 'stock.shop.svc.cluster.local',
    destination_canonical_service: 'unknown',
    destination_canonical_revision: 'latest',
    destination_service_name: 'stock',
    destination_cluster: 'unknown',
    destination_service_namespace: 'shop',
    request_protocol: 'http',
    response_code: '503',
    grpc_response_status: '',
    response_flags: 'UF,URX',
    connection_security_policy: 'unknown',
    ...labels,
  }
  const text = Object.entries(all).map(([name, value]) => `${name}="${value}"`)
  return `istio_requests_total{${text.join(',')}} ${count}\n`
}
