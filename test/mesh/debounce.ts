// The lines by which istiod says what it pushed for, of the 1.31 line:
//   2026-11-21T05:45:40.1Z	info	ads	Push debounce stable[12] 1 for config Endpoints/noisy/flapper.noisy.svc.cluster.local: 100.1ms since last change, ...

export interface Debounced {
  readonly events: number
  /** One of them where there are more. */
  readonly config: string
  readonly isForced: boolean
}

const LINE = /\tads\tPush debounce stable\[\d+\] (\d+) for config (\S+?)(?: and \d+ more configs)?: .* forced=(true|false)$/gm

export const debouncedIn = (log: string): readonly Debounced[] =>
  [...log.matchAll(LINE)].map(([, events, config = '', forced]) => ({ events: Number(events), config, isForced: forced === 'true' }))
