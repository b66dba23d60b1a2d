// What a ztunnel says. The captures were written by the library that it uses, from the program beside them; what is written here is written alike.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../fixtures/istio/ztunnel')

/** Of two moments of one ztunnel: in the second all counters are twice what they are in the first. */
export const CAPTURES: readonly string[] = await Promise.all([1, 2].map((phase) => readFile(join(FOLDER, `${phase}.prom`), 'utf8')))

/** Of one workload to another; without zones as before 1.25. */
export interface Flow {
  readonly name: string
  readonly reporter?: 'source' | 'destination'
  readonly zones?: readonly [from: string, to: string]
  readonly received: number
  readonly sent?: number
}

interface Control {
  /** Messages of istiod. */
  readonly messages?: number
}

export function expositionOf(flows: readonly Flow[], { messages = 10 }: Control = {}): string {
  const rows = (family: string, countOf: (flow: Flow) => number): string =>
    `# TYPE istio_tcp_${family}_bytes counter\n${flows.map((flow) => `istio_tcp_${family}_bytes_total{${labelsOf(flow)}} ${countOf(flow)}\n`).join('')}`
  return (
    '# HELP istio_build Istio component build info.\n# TYPE istio_build gauge\nistio_build{component="ztunnel",tag="1.29.0"} 1\n' +
    `# TYPE istio_xds_message counter\nistio_xds_message_total{url="type.googleapis.com/istio.workload.Address"} ${messages}\n` +
    `${rows('received', ({ received }) => received)}${rows('sent', ({ sent = 0 }) => sent)}# EOF\n`
  )
}

function labelsOf({ name, reporter = 'source', zones }: Flow): string {
  const labels = `reporter="${reporter}",source_workload="${name}",destination_workload="stock",response_flags="-",connection_security_policy="mutual_tls"`
  return zones ? `${labels},source_region="r",source_zone="${zones[0]}",destination_region="r",destination_zone="${zones[1]}"` : labels
}
