// The lines by which istiod says what it pushed, and for what, of the 1.31 line:
//   2026-11-21T05:45:40.1Z	info	ads	Push debounce stable[12] 1 for config Endpoints/noisy/flapper.noisy.svc.cluster.local: 100.1ms since last change, ...
//   2026-11-21T05:45:40.2Z	info	delta	CDS: PUSH for node:cart-0.shop resources:12 removed:0 size:8.1kB cached:0/12 filtered:0
//   2026-11-21T05:45:40.2Z	info	model	Full push, new service noisy/flapper.noisy.svc.cluster.local

export interface Debounced {
  readonly events: number
  /** One of them where there are more. */
  readonly config: string
  readonly isForced: boolean
}

const LINE = /\tads\tPush debounce stable\[\d+\] (\d+) for config (\S+?)(?: and \d+ more configs)?: .* forced=(true|false)$/gm

export const debouncedIn = (log: string): readonly Debounced[] =>
  [...log.matchAll(LINE)].map(([, events, config = '', forced]) => ({ events: Number(events), config, isForced: forced === 'true' }))

const SENT = /\t(?:ads|delta)\t[A-Z]+: PUSH\b.* for node:[^ .]+\.(\S+) .*?\bsize:([\d.]+)(B|kB|MB|GB)\b/gm
const UNIT = { B: 1, kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 }

/** Bytes to the proxies of that namespace, as rounded there. */
export const sentIn = (log: string, namespace: string): number =>
  [...log.matchAll(SENT)]
    .filter(([, to]) => to === namespace)
    .reduce((sum, [, , size, unit]) => sum + Math.round(Number(size) * UNIT[unit as keyof typeof UNIT]), 0)

/** How often the endpoints of that host changed so that a line was worth it. */
export const endpointsChangedIn = (log: string, host: string): number =>
  log.split('\n').filter((line) => /\tmodel\t(?:Full|Incremental) push, |\tmodel\tCache Update, /.test(line) && line.includes(host)).length
