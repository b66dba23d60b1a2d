// Samples that a Prometheus has, as promtool takes them in tests of rules:
//   1 1 1 4 7 10 _ _ 5  ->  1+0x2 4+3x2 _x2 5

export type Value = number | undefined

/** One value for each interval; undefined where there is none. Only numbers without a fraction are written as steps: promtool adds them up. */
export function writeSeries(values: readonly Value[]): string {
  const words: string[] = []
  for (let at = 0; at < values.length; ) {
    const length = runLength(values, at)
    words.push(wordOf(values[at], length > 1 ? stepAt(values, at) : 0, length))
    at += length
  }
  return words.join(' ')
}

function wordOf(value: Value, step: number, length: number): string {
  if (value === undefined) return length === 1 ? '_' : `_x${length}`
  return length === 1 ? String(value) : `${value}${step < 0 ? '' : '+'}${step}x${length - 1}`
}

/** How many from here on are one word. Two that merely differ are no run: as two words they are as short. */
function runLength(values: readonly Value[], at: number): number {
  const step = stepAt(values, at)
  if (Number.isNaN(step)) return 1
  let end = at + 1
  while (end < values.length && stepAt(values, end - 1) === step) end++
  return end - at === 2 && step !== 0 ? 1 : end - at
}

/** 0 from nothing to nothing; NaN where no step leads on. */
function stepAt(values: readonly Value[], at: number): number {
  const [from, to] = [values[at], values[at + 1]]
  if (at + 1 >= values.length) return Number.NaN
  if (from === to) return 0
  return from !== undefined && to !== undefined && Number.isInteger(from) && Number.isInteger(to) ? to - from : Number.NaN
}

/** One value for each interval since the first sample of this target, whatever its own time of scrapes is. Times in seconds. */
export function alignSamples(
  samples: readonly (readonly [number, string])[],
  { first, interval, count }: { readonly first: number; readonly interval: number; readonly count: number },
): readonly Value[] {
  const values: Value[] = Array.from({ length: count }, () => undefined)
  for (const [time, value] of samples) {
    const index = Math.round((time - first) / interval)
    if (index >= 0 && index < count) values[index] = Number(value)
  }
  return values
}
