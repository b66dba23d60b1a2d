// What a scraper remembers of a text of metrics, to see whether anything ever falls.

/** Counters by their whole line but the value. */
function parseCounters(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith('meshtoll_') && line.includes('_total'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

export interface Watcher {
  /** What has fallen since any text before: `name 5 -> 3`. */
  falls(text: string): readonly string[]
}

/** `isOurs`: which counters must never fall; those of devices and of the process start over with them. */
export function createWatcher(isOurs: (name: string) => boolean = (name) => /^meshtoll_(flow|zone|series)_/.test(name)): Watcher {
  const highest = new Map<string, number>()
  return {
    falls(text) {
      const found: string[] = []
      for (const [name, value] of parseCounters(text)) {
        const before = highest.get(name) ?? 0
        if (isOurs(name) && value < before) found.push(`${name} ${before} -> ${value}`)
        highest.set(name, Math.max(before, value))
      }
      return found
    },
  }
}
