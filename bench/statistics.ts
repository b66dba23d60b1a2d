// Numbers over rounds. A machine that does other things as well makes some rounds slow, so means are taken of the middle half.

export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

const RESAMPLES = 2_000

export const sorted = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b)

export const quantile = (values: readonly number[], share: number): number =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0)

/** Of the middle half: as hard to move by outliers as the median, and less coarse. */
export function midmean(values: readonly number[]): number {
  const cut = Math.floor(values.length / 4)
  const middle = sorted(values).slice(cut, values.length - cut)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

/** What `of` says about all rounds, and between which values it lies in 95 of 100 draws of as many rounds with repetition. */
export function bootstrap<Round>(rounds: readonly Round[], of: (rounds: readonly Round[]) => number): Estimate {
  const random = createRandom(rounds.length)
  const draw = (): readonly Round[] => rounds.map(() => rounds[Math.floor(random() * rounds.length)] as Round)
  const drawn = sorted(Array.from({ length: RESAMPLES }, () => of(draw())))
  return { value: of(rounds), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) }
}

/** The same numbers every time (mulberry32), so that the same rounds give the same interval. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  const left = [...items]
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as Item)
}
