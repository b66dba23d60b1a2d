import type { Figure } from './figure.js'
import { largest } from './statistics.js'
import type { Timing } from './timing.js'

/** The loop is never held for longer than this, whatever goes on (docs/design.md section 7). */
const MOST_MS = 20

export function blockFigure(what: string, timings: readonly Timing[], beside = ''): Figure {
  const [wall, cpu] = [largest(timings.map(({ blockMs }) => blockMs)), largest(timings.map(({ blockCpuMs }) => blockCpuMs))]
  return {
    number: `longest block of the loop, ${what}`,
    unit: 'ms',
    measured: wall,
    bar: { most: MOST_MS },
    beside: `CPU ${cpu.toFixed(1)} ms${beside === '' ? '' : `; ${beside}`}`,
  }
}
