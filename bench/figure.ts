// One row of the results, and what it says about its bar.
import type { Estimate } from './statistics.js'

export type Unit = 'ns' | 'us' | 'ms' | 'core' | 'MiB' | 'x' | 'pps' | 'Gbit/s'

export interface Figure {
  readonly number: string
  readonly unit: Unit
  readonly measured: number | Estimate
  /** Of design.md section 7; without one the figure only informs. */
  readonly bar?: { readonly most: number } | { readonly least: number }
  /** What else the same run says. */
  readonly beside?: string
}

export type Verdict = 'held' | 'missed' | ''

/** `quick`: less of everything, to see that it works; its numbers mean little. */
export interface BenchOptions {
  readonly quick: boolean
}

export type Measure = (options: BenchOptions) => AsyncIterable<Figure>

const centreOf = ({ measured }: Figure): number => (typeof measured === 'number' ? measured : measured.value)

/** A bar is missed when the whole interval is on its wrong side. */
export function verdictOf({ measured, bar }: Figure): Verdict {
  if (!bar) return ''
  const { low, high } = typeof measured === 'number' ? { low: measured, high: measured } : measured
  return ('most' in bar ? low <= bar.most : high >= bar.least) ? 'held' : 'missed'
}

function ratioOf(figure: Figure): number | undefined {
  if (!figure.bar) return undefined
  return centreOf(figure) / ('most' in figure.bar ? figure.bar.most : figure.bar.least)
}

export interface Row {
  readonly number: string
  readonly bar: string
  readonly measured: string
  readonly ratio: string
  readonly verdict: Verdict
  readonly beside: string
}

export function rowOf(figure: Figure): Row {
  const { number, unit, measured, bar, beside = '' } = figure
  const ratio = ratioOf(figure)
  const interval = typeof measured === 'number' ? '' : ` [${renderNumber(measured.low, unit)} to ${renderNumber(measured.high, unit)}]`
  return {
    number,
    bar: bar ? `${'most' in bar ? '<=' : '>='} ${'most' in bar ? bar.most : bar.least} ${unit}` : '',
    measured: `${renderNumber(centreOf(figure), unit)} ${unit}${interval}`,
    ratio: ratio === undefined ? '' : ratio.toFixed(2),
    verdict: verdictOf(figure),
    beside,
  }
}

const DECIMALS: Readonly<Record<Unit, number>> = { ns: 0, us: 1, ms: 1, core: 4, MiB: 0, x: 3, pps: 0, 'Gbit/s': 2 }

const renderNumber = (value: number, unit: Unit): string => value.toFixed(DECIMALS[unit])
