// Proxies of a node as far as their statistics go, a program: each at a port of its own says what a real one said (test/fixtures/istio), with
// counters that go on.
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerEach, argumentOf } from './asked.js'

export interface ProxiesGiven {
  readonly proxies: number
  /** Of each; counters of failed requests. */
  readonly failing: number
  /** Whether the filter is honoured. */
  readonly isFiltered: boolean
  /** So many accept, and say nothing. */
  readonly silent: number
}

export interface ProxiesAnswer {
  readonly ports: readonly number[]
  readonly asked: number
  readonly bytes: number
}

const given = argumentOf() as ProxiesGiven
const capture = readFileSync(new URL('../test/fixtures/istio/envoy-cart.5-endpoint-churn-after-exportto.prom', import.meta.url), 'utf8')
const WANTED =
  /^(# TYPE )?(envoy_server_uptime|envoy_cluster_manager_(active_clusters|cds_update_(time|rejected))|envoy_listener_manager_lds_update_(time|rejected)|envoy_cluster_upstream_cx_rx_bytes_total)\b/
const begun = Date.now()
let asked = 0
let bytes = 0

const LINES = given.isFiltered ? capture.split('\n').filter((line) => WANTED.test(line)) : capture.split('\n')
const WORKLOADS =
  'source_workload="cart",source_canonical_service="cart",source_canonical_revision="latest",source_workload_namespace="shop"'
const PRINCIPALS =
  'source_principal="spiffe://cluster.local/ns/shop/sa/cart",destination_principal="spiffe://cluster.local/ns/shop/sa/stock"'

function textOf(): string {
  const seconds = Math.floor((Date.now() - begun) / 1_000)
  const base = LINES.join('\n')
    .replace(/(uptime\{\}) \d+/, `$1 ${100 + seconds}`)
    .replace(/(rx_bytes_total\{cluster_name="xds-grpc"\}) \d+/, `$1 ${100_000 + seconds * 1_000}`)
  const failing = Array.from(
    { length: given.failing },
    (_, i) =>
      `istio_requests_total{reporter="source",${WORKLOADS},${PRINCIPALS},destination_workload="stock-${i}",destination_service="stock-${i}.shop.svc.cluster.local",destination_service_name="stock-${i}",destination_service_namespace="shop",request_protocol="http",response_code="503",grpc_response_status="",response_flags="UF,URX",connection_security_policy="mutual_tls"} ${seconds + i}\n`,
  )
  return `${base}\n${failing.join('')}`
}

const serve = (isSilent: boolean): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => {
      asked++
      if (isSilent) return
      const body = Buffer.from(textOf())
      bytes += body.length
      response.writeHead(200, { 'content-type': 'text/plain' }).end(body)
    })
    server.keepAliveTimeout = 3_600_000
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

const servers = await Promise.all(Array.from({ length: given.proxies }, (_, index) => serve(index < given.silent)))
const ports = servers.map((server) => (server.address() as AddressInfo).port)

await answerEach((): ProxiesAnswer => ({ ports, asked, bytes }))
