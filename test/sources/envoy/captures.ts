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

/** An `istio_requests_total` line as Istio's own filter writes it. */
export function requestsLine(count: number | string, labels: Readonly<Record<string, string>> = {}): string {
  const all = {
    reporter: 'source',
    source_workload: 'cart',
    destination_service_name: 'stock',
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
