// Reads sources side by side: each within its own deadline, and one that fails fails alone.
import { within } from '../deadline.js'
import type { Clock, Log } from '../deps.js'
import type { Self } from '../exporters/self.js'
import type { Reading, RowReading, Source, ValueReading } from '../model.js'

export interface SourceStatus {
  readonly name: string
  readonly up: boolean
  readonly readSeconds: number
  readonly error: string
  readonly note: string
  /** What it names one by one, where there is any. */
  readonly rows?: readonly RowReading['row'][]
}

export interface Readers {
  /** Undefined when the source could not be read; that is logged when it begins, and when it ends. */
  read(source: Pick<Source, 'name' | 'read'>, signal: AbortSignal): Promise<readonly Reading[] | undefined>
  readonly statuses: readonly SourceStatus[]
  isUp(source: string): boolean
}

const DEADLINE_MS = 8_000

export function createReaders({ clock, log, self }: { clock: Clock; log: Log; self: Self }): Readers {
  const statuses = new Map<string, SourceStatus>()

  function report(name: string, seconds: number, error: string): void {
    const before = statuses.get(name)?.error ?? ''
    self.sourceRead(name, seconds, error === '')
    statuses.set(name, { name, up: error === '', readSeconds: seconds, error, note: '' })
    if (error !== '' && error !== before) log.warn('source cannot be read', { source: name, error })
    if (error === '' && before !== '') log.info('source can be read again', { source: name })
  }

  async function read(source: Pick<Source, 'name' | 'read'>, signal: AbortSignal): Promise<readonly Reading[] | undefined> {
    const startMs = clock.monotonic()
    const seconds = (): number => (clock.monotonic() - startMs) / 1000
    try {
      const { readings, rejected } = await within(clock, { ms: DEADLINE_MS, signal }, (limited) => source.read(limited))
      if (rejected > 0) self.rejected(source.name, rejected)
      report(source.name, seconds(), '')
      return readings
    } catch (error) {
      if (!isStop(signal)) report(source.name, seconds(), error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  return {
    read,
    get statuses() {
      return [...statuses.values()]
    },
    isUp: (source) => statuses.get(source)?.up ?? false,
  }
}

export const valuesIn = (readings: readonly Reading[] = []): readonly ValueReading[] =>
  readings.filter((reading) => reading.kind === 'value')

/** A stop is no fault of the source; a deadline is. */
const isStop = ({ aborted, reason }: AbortSignal): boolean => aborted && (reason as Error).name !== 'TimeoutError'
