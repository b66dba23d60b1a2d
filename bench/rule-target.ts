// Serves /metrics of as many nodes as it is told, each with flow series of its own, at /NODE: argv is nodes, series of each, pairs of owners in all.
// Each pair of owners is on several nodes, as replicas are; two of five cross a zone.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [nodes = 0, series = 0, pairs = 0] = process.argv.slice(2).map(Number)
const BYTES_A_SECOND = 1_000
const startedAt = performance.now()

const OTHERS = ['meshtoll_build_info{version="0.1.0"} 1', 'meshtoll_transfer_price_dollars_per_byte{scope="cross_zone"} 1e-11']

/** All but the value, which is the same for all. */
function linesOf(node: number): readonly string[] {
  return Array.from({ length: series }, (_, i) => {
    const pair = (node * series + i) % pairs
    const crosses = pair % 5 < 2
    const [from, to] = ['a', crosses ? 'b' : 'a'].map((letter) => `us-east-1${letter}`)
    const source = `src_zone="${from}",src_namespace="namespace-${pair % 40}",src_owner_kind="Deployment",src_owner_name="workload-${pair}"`
    const destination = `dst_zone="${to}",dst_namespace="namespace-${pair % 37}",dst_owner_kind="Deployment",dst_owner_name="workload-${pair + 1}"`
    return `meshtoll_flow_bytes_total{${source},${destination},scope="${crosses ? 'cross_zone' : 'same_zone'}"} `
  })
}

const ofNode = Array.from({ length: nodes }, (_, node) => linesOf(node))
const server = createServer((request, response) => {
  const lines = ofNode[Number(request.url?.slice(1))] ?? []
  const value = `${Math.round(((performance.now() - startedAt) / 1_000) * BYTES_A_SECOND)}\n`
  response.setHeader('content-type', 'text/plain; version=0.0.4')
  response.end(`${OTHERS.join('\n')}\n${lines.join(value)}${value}`)
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.on('end', () => process.exit(0)).resume()
