// Watches what one agent serves, scrape by scrape: a counter that falls or is gone was lost, whatever the reason.

export interface Witness {
  /** The text of /metrics. */
  see(text: string): void
  /** What has fallen, as `series: before -> after`. */
  readonly falls: readonly string[]
  readonly scrapes: number
}

/** `ignore`: series that may: those of the process itself start over with it. */
export function createWitness(ignore = /^(?:process_|meshtoll_source_)/): Witness {
  const falls: string[] = []
  let last: ReadonlyMap<string, number> = new Map()
  let scrapes = 0
  return {
    see(text) {
      const now = countersOf(text, ignore)
      for (const [series, before] of last) {
        const after = now.get(series)
        if (after === undefined || after < before) falls.push(`${series}: ${before} -> ${after ?? 'gone'}`)
      }
      last = now
      scrapes++
    },
    falls,
    get scrapes() {
      return scrapes
    },
  }
}

function countersOf(text: string, ignore: RegExp): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => /^\w+_total[ {]/.test(line) && !ignore.test(line))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}
