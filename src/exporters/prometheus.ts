// What Prometheus gets: the ledger's families and the agent's own, in one answer and of one instant.
import { createPrometheusText, type Format, type PrometheusTextOptions } from '../formats/prometheus-text.js'
import type { FamilySnapshot, Snapshot } from '../model.js'
import { bufferPieces } from './pieces.js'

export interface PrometheusParts {
  /** Nothing changes until what `use` returns has settled. */
  withSnapshot<T>(use: (snapshot: Pick<Snapshot, 'families'>) => Promise<T>): Promise<T>
  self(): Promise<readonly FamilySnapshot[]>
}

export interface Encoding {
  readonly format: Format
  readonly gzip: boolean
}

export interface Prometheus {
  /** The whole answer, before a byte of it is sent: a slow reader then holds up nobody, and who asks meanwhile shares it. */
  render(encoding: Encoding): Promise<readonly Buffer[]>
}

export function createPrometheus({ withSnapshot, self }: PrometheusParts, options: PrometheusTextOptions = {}): Prometheus {
  const { renderChunks } = createPrometheusText(options)
  const underWay = new Map<string, Promise<readonly Buffer[]>>()

  const renderNow = ({ format, gzip }: Encoding): Promise<readonly Buffer[]> =>
    withSnapshot(async ({ families }) => bufferPieces(renderChunks([...families, ...(await self())], format), gzip))

  return {
    render(encoding) {
      const key = `${encoding.format} ${encoding.gzip}`
      const shared = underWay.get(key)
      if (shared !== undefined) return shared
      const rendering = renderNow(encoding).finally(() => underWay.delete(key))
      underWay.set(key, rendering)
      return rendering
    },
  }
}
