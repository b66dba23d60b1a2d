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
  /**
   * The whole answer, before a byte of it is sent: a slow reader then holds up nobody. Who asks before its snapshot is taken shares it; who asks
   * later would hear what was read before they asked, for as long as rendering takes.
   */
  render(encoding: Encoding): Promise<readonly Buffer[]>
}

export function createPrometheus({ withSnapshot, self }: PrometheusParts, options: PrometheusTextOptions = {}): Prometheus {
  const { renderChunks } = createPrometheusText(options)
  const waiting = new Map<string, Promise<readonly Buffer[]>>()

  const renderOnce = ({ format, gzip }: Encoding, onSnapshot: () => void): Promise<readonly Buffer[]> =>
    withSnapshot(async ({ families }) => {
      onSnapshot()
      return bufferPieces(renderChunks([...families, ...(await self())], format), gzip)
    })

  return {
    render(encoding) {
      const key = `${encoding.format} ${encoding.gzip}`
      const shared = waiting.get(key)
      if (shared !== undefined) return shared
      const isTaken = (): void => {
        if (waiting.get(key) === rendering) waiting.delete(key)
      }
      // Where there is a snapshot at once it is still shared by who asks at the same time.
      const rendering = Promise.resolve()
        .then(() => renderOnce(encoding, isTaken))
        .finally(isTaken)
      waiting.set(key, rendering)
      return rendering
    },
  }
}
